// Before the start: checks network, sign-in, clock and storage by trying them, and keeps the shell for a reload without network.
(function () {
  'use strict';

  if (/is-old-browser/.test(document.documentElement.className)) { return; }
  var place = document.getElementById('checks');
  var LIMIT_MS = 8000;
  var ROUNDS = 3;

  function say(id, state, words) {
    var node = document.getElementById('check-' + id).querySelector('span');
    node.className = 'is-' + state;
    node.textContent = (state === 'good' ? '正常　' : state === 'warning' ? '注意　' : '异常　') + words;
  }

  function ask() {
    var stop = new window.AbortController();
    var timer = window.setTimeout(function () { stop.abort(); }, LIMIT_MS);
    var sentAt = window.performance.now();
    return window.fetch(place.getAttribute('data-session'), { credentials: 'same-origin', cache: 'no-store', signal: stop.signal })
      .then(function (answer) {
        return answer.json().then(function (body) {
          window.clearTimeout(timer);
          return { status: answer.status, body: body, took: window.performance.now() - sentAt, at: Date.now() };
        });
      });
  }

  function several(left, seen) {
    return left ? ask().then(function (one) { return several(left - 1, seen.concat([one])); }) : Promise.resolve(seen);
  }

  function checkNetwork() {
    return several(ROUNDS, []).then(function (seen) {
      var quickest = seen.reduce(function (best, one) { return one.took < best.took ? one : best; });
      var slowest = Math.max.apply(null, seen.map(function (one) { return one.took; }));
      var words = '往返 ' + Math.round(quickest.took) + ' 至 ' + Math.round(slowest) + ' 毫秒';
      if (slowest > 3000) { say('network', 'warning', words + '，网络较慢。可以考试，答案会自动重传。'); }
      else { say('network', 'good', words); }
      checkSignIn(quickest);
      if (quickest.body.server_time) { checkClock(quickest); }
    }, function () {
      say('network', 'wrong', '联系不上服务器。请检查网络后点“重新检查”。');
      say('sign-in', 'warning', '联系上服务器后再检查。');
      say('clock', 'warning', '联系上服务器后再检查。');
    });
  }

  function checkSignIn(one) {
    if (!navigator.cookieEnabled) { say('sign-in', 'wrong', '浏览器禁用了 Cookie，不能保持登录。请在设置中启用。'); }
    else if (one.status === 200) { say('sign-in', 'good', '登录有效，' + one.body.person.name); }
    else { say('sign-in', 'wrong', '登录已过期。请刷新本页重新登录。'); }
  }

  function checkClock(one) {
    var apart = Math.round((one.at - one.took / 2 - Date.parse(one.body.server_time)) / 1000);
    var seconds = Math.abs(apart);
    var words = seconds < 120 ? seconds + ' 秒' : Math.round(seconds / 60) + ' 分钟';
    if (seconds <= 5) { say('clock', 'good', '本机时间准确'); }
    else { say('clock', 'good', '本机时间' + (apart > 0 ? '快 ' : '慢 ') + words + '，不影响考试，以服务器时间为准'); }
  }

  function checkStorage() {
    var worth = String(Math.random());
    try {
      window.localStorage.setItem('check', worth);
      var isKept = window.localStorage.getItem('check') === worth;
      window.localStorage.removeItem('check');
      if (!isKept) { throw new Error('not kept'); }
    } catch (error) {
      say('storage', 'warning', '本机不能暂存答案（可能是无痕模式）。可以考试，但断网时不要刷新或关闭页面。');
      return;
    }
    say('storage', 'good', window.crypto && window.crypto.subtle ? '断网时答案可暂存在本机' : '断网时选项可暂存在本机，填写的文字只在联网时保存');
  }

  function checkReload() {
    if (!navigator.serviceWorker) { say('reload', 'warning', '本浏览器断网时刷新会打不开页面。断网时请等待，不要刷新。'); return; }
    navigator.serviceWorker.register(place.getAttribute('data-worker'), { scope: '/exams/' }).then(function () {
      say('reload', 'good', '断网时刷新也能恢复');
    }, function () { say('reload', 'warning', '断网时刷新会打不开页面。断网时请等待，不要刷新。'); });
  }

  function check() {
    var button = document.getElementById('check-again');
    button.disabled = true;
    checkStorage();
    checkReload();
    checkNetwork().then(function () { button.disabled = false; });
  }

  document.getElementById('check-again').addEventListener('click', check);
  check();
}());
