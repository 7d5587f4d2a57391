// The shell that a reload without network shows: says what waits on the device, and goes back to the paper once the server answers.
(function (exam) {
  'use strict';

  var tries = 0;
  var found = /^\/exams\/(\d+)\/sit/.exec(window.location.pathname);
  var waiting = exam.storedStates(found ? Number(found[1]) : 0).reduce(function (sum, state) {
    return sum + Object.keys(state.pending).length;
  }, 0);
  document.getElementById('offline-text').textContent = '网络中断，' + waiting + ' 题待传。';

  function again() {
    tries += 1;
    document.getElementById('offline-tried').textContent = '已自动重试 ' + tries + ' 次。';
    window.setTimeout(ask, (tries < 5 ? 2000 : 5000) * (0.7 + Math.random() * 0.6));
  }

  function ask() {
    var stop = new window.AbortController();
    var timer = window.setTimeout(function () { stop.abort(); }, 8000);
    window.fetch('/api/v1/session', { credentials: 'same-origin', cache: 'no-store', signal: stop.signal }).then(function (answer) {
      window.clearTimeout(timer);
      if (answer.status >= 500) { again(); return; }
      window.location.reload();
    }, function () { window.clearTimeout(timer); again(); });
  }

  window.addEventListener('online', ask);
  window.setTimeout(ask, 1500);
}(window.ExamPage = window.ExamPage || {}));
