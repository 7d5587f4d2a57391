// Before the start: checks network, sign-in, clock and storage by trying them, and keeps the shell for a reload without network.
(function () {
  'use strict';

  if (/is-old-browser/.test(document.documentElement.className)) { return; }
  var checks = document.getElementById('checks');
  var LIMIT_MS = 8000;
  var ROUNDS = 3;

  var states = {};

  // One line where all is well; what is not stands open.
  function sumUp() {
    var found = Object.keys(states).map(function (id) { return states[id]; });
    var wrong = found.filter(function (state) { return state !== 'good'; }).length;
    var line = document.getElementById('check-summary');
    line.className = wrong ? 'is-warning' : 'is-good';
    line.textContent = wrong ? '有 ' + wrong + ' 项请留意，见下方。' : '设备检查通过 ✓';
    if (wrong) { document.getElementById('check-details').open = true; }
  }

  function say(id, state, text) {
    states[id] = state;
    var node = document.getElementById('check-' + id).querySelector('span');
    node.className = 'is-' + state;
    node.textContent = (state === 'good' ? '正常　' : state === 'warning' ? '注意　' : '异常　') + text;
  }

  function ask() {
    var stop = new window.AbortController();
    var timer = window.setTimeout(function () { stop.abort(); }, LIMIT_MS);
    var sentAt = window.performance.now();
    return window.fetch(checks.getAttribute('data-session'), { credentials: 'same-origin', cache: 'no-store', signal: stop.signal })
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
      if (slowest > 3000) { say('network', 'warning', '网络较慢。可以考试，答案会自动重传。'); }
      else { say('network', 'good', '网络良好'); }
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
    var text = seconds < 120 ? seconds + ' 秒' : seconds < 7200 ? Math.round(seconds / 60) + ' 分钟'
      : seconds < 172800 ? Math.round(seconds / 3600) + ' 小时' : Math.round(seconds / 86400) + ' 天';
    if (seconds <= 5) { say('clock', 'good', '本机时间准确'); }
    else { say('clock', 'good', '本机时间' + (apart > 0 ? '快 ' : '慢 ') + text + '，不影响考试，以服务器时间为准'); }
  }

  function checkStorage() {
    var worth = String(Math.random());
    try {
      window.localStorage.setItem('check', worth);
      var isStored = window.localStorage.getItem('check') === worth;
      window.localStorage.removeItem('check');
      if (!isStored) { throw new Error('not kept'); }
    } catch (error) {
      say('storage', 'warning', '本机不能暂存答案（可能是无痕模式）。可以考试，但断网时不要刷新或关闭页面。');
      return;
    }
    say('storage', 'good', window.crypto && window.crypto.subtle ? '断网时答案可暂存在本机' : '断网时选项可暂存在本机，填写的文字只在联网时保存');
  }

  function checkReload() {
    if (!navigator.serviceWorker) { say('reload', 'warning', '本浏览器断网时刷新会打不开页面。断网时请等待，不要刷新。'); return; }
    return navigator.serviceWorker.register(checks.getAttribute('data-worker'), { scope: '/exams/' }).then(function () {
      say('reload', 'good', '断网时刷新也能恢复');
    }, function () { say('reload', 'warning', '断网时刷新会打不开页面。断网时请等待，不要刷新。'); });
  }

  function check() {
    var button = document.getElementById('check-again');
    button.disabled = true;
    states = {};
    checkStorage();
    Promise.all([checkReload(), checkNetwork()]).then(function () {
      button.disabled = false;
      sumUp();
    });
  }

  // Counts down to the opening by the monotonic clock, whatever the device's own says, and shows the start then.
  function waitForOpening() {
    var notice = document.querySelector('[data-opens-in]');
    if (!notice) { return; }
    var opensAt = window.performance.now() + Number(notice.getAttribute('data-opens-in')) * 1000;
    var start = document.getElementById('start');
    tick();
    var timer = window.setInterval(tick, 1000);

    function tick() {
      var left = Math.ceil((opensAt - window.performance.now()) / 1000);
      notice.querySelector('[data-countdown]').textContent = left > 0 ? '　还有 ' + formatDuration(left) : '';
      if (left > 0) { return; }
      window.clearInterval(timer);
      notice.textContent = '考试已经开始，请点“开始考试”。';
      if (start.tagName === 'A') { start.href = start.getAttribute('data-href') + '#start'; }
      start.parentNode.hidden = false;
    }
  }

  function formatDuration(seconds) {
    var days = Math.floor(seconds / 86400);
    var rest = [Math.floor(seconds % 86400 / 3600), Math.floor(seconds % 3600 / 60), seconds % 60].map(function (one) { return (one < 10 ? '0' : '') + one; });
    return (days ? days + ' 天 ' : '') + rest.join(':');
  }

  document.getElementById('check-again').addEventListener('click', check);
  check();
  waitForOpening();
}());
