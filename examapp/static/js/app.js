// What back-office pages share: ask before an act that cannot be undone, follow a long job's progress.
(function () {
  'use strict';

  document.addEventListener('submit', function (event) {
    var words = event.target.getAttribute('data-confirm');
    if (words && !window.confirm(words)) { event.preventDefault(); return; }
    var button = event.target.querySelector('button[type="submit"]');
    if (button && event.target.method === 'post') {
      window.setTimeout(function () { button.disabled = true; }, 0);
      window.setTimeout(function () { button.disabled = false; }, 8000);
    }
  });

  function follow(job) {
    var bar = job.querySelector('progress');
    var words = job.querySelector('.job-words');
    function again(pause) { window.setTimeout(ask, pause); }
    function ask() {
      fetch(job.getAttribute('data-poll'), { credentials: 'same-origin', headers: { Accept: 'application/json' } })
        .then(function (answer) { return answer.json(); })
        .then(function (state) {
          bar.max = state.total || 1;
          bar.value = state.done;
          if (state.state === 'waiting') { words.textContent = '排队中'; again(1000); return; }
          if (state.state === 'running') { words.textContent = '进行中 ' + state.done + ' / ' + state.total; again(700); return; }
          window.location.reload();
        })
        .catch(function () { words.textContent = '暂时联系不上服务器，正在重试'; again(3000); });
    }
    again(500);
  }

  Array.prototype.forEach.call(document.querySelectorAll('.job[data-poll]'), function (job) {
    if (!job.hasAttribute('data-finished')) { follow(job); }
  });
}());
