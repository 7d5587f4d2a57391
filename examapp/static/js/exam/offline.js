// The shell that a page without network shows: says what waits on the device, and opens the page once the server answers.
(function (exam) {
  'use strict';

  var retries = 0;
  var found = /^\/exams\/(\d+)(\/sit)?/.exec(window.location.pathname);
  var isMock = /^\/practice\/mocks\/papers\//.test(window.location.pathname);
  var waiting = exam.storedStates(found ? Number(found[1]) : 0).reduce(function (sum, state) {
    return state.exam === 'mock' ? sum : sum + Object.keys(state.pending).length;
  }, 0);
  if (exam.readSetting('elder')) { document.documentElement.classList.add('elder'); }
  document.getElementById('offline-text').textContent = waiting ? '网络中断，' + waiting + ' 题待传。' : '';
  document.getElementById('offline-next').textContent = isMock ? '请不要关闭本页。网络恢复后，本页自动回到模拟卷，本机上的作答都在。' : found && found[2]
    ? '请不要关闭本页。网络恢复后，本页自动回到试卷，并上传本机上的答案，不需要任何操作。'
    : '请检查网络。网络恢复后，本页自动打开。刚才提交的内容没有送达的，打开后请再提交一次。';

  function again() {
    retries += 1;
    document.getElementById('offline-tried').textContent = '已自动重试 ' + retries + ' 次。';
    window.setTimeout(ask, (retries < 5 ? 2000 : 5000) * (0.7 + Math.random() * 0.6));
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
