// Says in words where a browser lacks what the pages need, before anything else runs. Browsers of 2009 understand it; what comes after it looks for `is-old-browser`.
(function () {
  'use strict';

  var root = document.documentElement;
  var text = document.getElementById('old-browser');
  if (window.fetch && window.AbortController && window.Promise && window.URLSearchParams && root.classList && root.dataset) { return; }
  root.className += ' is-old-browser';
  if (text) { text.removeAttribute('hidden'); text.style.display = 'block'; }
}());

// The server's time on this page: measured with every reply, carried by the monotonic clock, so that the device's clock does not matter.
(function (exam) {
  'use strict';

  var SLACK_MS = 300;
  var STALE_MS = 300000;

  exam.createClock = function () {
    var best = null;
    var deadline = null;

    function mono() { return window.performance.now(); }

    // Each reply bounds the offset: the server wrote its time somewhere between sending and receiving.
    function note(serverTime, sentAt, receivedAt) {
      var server = Date.parse(serverTime);
      if (isNaN(server)) { return; }
      var error = (receivedAt - sentAt) / 2;
      var sample = { offset: server - (sentAt + receivedAt) / 2, error: error, at: receivedAt };
      var hasJumped = best && Math.abs(sample.offset - best.offset) > error + best.error + SLACK_MS;
      if (!best || hasJumped || error <= best.error || receivedAt - best.at > STALE_MS) { best = sample; }
    }

    function now() { return best ? mono() + best.offset : null; }

    function setDeadline(text) {
      var instant = Date.parse(text);
      if (isNaN(instant) || instant === deadline) { return 0; }
      var moved = deadline === null ? 0 : instant - deadline;
      deadline = instant;
      return moved;
    }

    function remaining() { return best && deadline !== null ? deadline - now() : null; }

    return { mono: mono, note: note, now: now, setDeadline: setDeadline, remaining: remaining };
  };

  function two(number) { return (number < 10 ? '0' : '') + number; }

  // The county's wall time of an instant, whatever zone the device is set to.
  exam.wallTime = function (instant) {
    var local = new Date(instant + 8 * 3600000);
    return two(local.getUTCHours()) + ':' + two(local.getUTCMinutes()) + ':' + two(local.getUTCSeconds());
  };

  exam.wallDay = function (instant) {
    var local = new Date(instant + 8 * 3600000);
    return local.getUTCFullYear() + '年' + (local.getUTCMonth() + 1) + '月' + local.getUTCDate() + '日 ' + exam.wallTime(instant);
  };

  exam.countdown = function (milliseconds) {
    var seconds = Math.max(0, Math.ceil(milliseconds / 1000));
    var hours = Math.floor(seconds / 3600);
    var rest = two(Math.floor(seconds % 3600 / 60)) + ':' + two(seconds % 60);
    return hours ? hours + ':' + rest : rest;
  };

  exam.formatDuration = function (milliseconds) {
    var seconds = Math.max(1, Math.round(milliseconds / 1000));
    return seconds < 60 ? seconds + ' 秒' : Math.round(seconds / 60) + ' 分钟';
  };
}(window.ExamPage = window.ExamPage || {}));
