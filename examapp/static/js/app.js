// What pages share: ask before an act that cannot be undone, bring wide tables within the keyboard's reach, leave nothing of an exam behind at sign-out, follow a long job's progress.
(function () {
  'use strict';

  document.addEventListener('submit', function (event) {
    var text = event.target.getAttribute('data-confirm');
    if (text && !window.confirm(text)) { event.preventDefault(); return; }
    if (event.target.classList.contains('site-sign-out') && !forgetExams()) { event.preventDefault(); return; }
    var button = event.target.querySelector('button[type="submit"]');
    if (button && event.target.method === 'post') {
      window.setTimeout(function () { button.disabled = true; }, 0);
      window.setTimeout(function () { button.disabled = false; }, 8000);
    }
  });

  // Answers kept on this device go with the sign-out; what has not reached the server yet is asked about first.
  function forgetExams() {
    var keys, waiting;
    try {
      keys = Object.keys(window.localStorage).filter(function (key) { return key.indexOf('exam:') === 0; });
      waiting = keys.reduce(function (sum, key) {
        return sum + Object.keys(JSON.parse(window.localStorage.getItem(key)).pending || {}).length;
      }, 0);
    } catch (error) { return true; }
    var isInExam = Boolean(document.querySelector('.live-bar, .exam-now a[href$="/sit"]'));
    if (isInExam && !waiting && !window.confirm('考试正在进行，退出登录后计时不停。确定退出吗？')) { return false; }
    if (waiting && !window.confirm('本机还有 ' + waiting + ' 题没有上传，退出登录会清除。请先回到考试页面等待上传。仍要退出吗？')) { return false; }
    keys.forEach(function (key) { window.localStorage.removeItem(key); });
    return true;
  }

  function follow(job) {
    var bar = job.querySelector('progress');
    var text = job.querySelector('.job-text');
    var began = Date.now();
    function again(pause) { window.setTimeout(ask, pause); }
    // Who waits long asks less often: a county's administrators may stand in one line while an exam is on.
    function patience() { return Math.min(8000, Math.max(1000, (Date.now() - began) / 4)); }
    function ask() {
      fetch(job.getAttribute('data-poll'), { credentials: 'same-origin', headers: { Accept: 'application/json' } })
        .then(function (answer) { return answer.json(); })
        .then(function (state) {
          bar.max = state.total || 1;
          bar.value = state.done;
          if (state.state === 'waiting') { text.textContent = state.message || '排队中'; again(patience()); return; }
          if (state.state === 'running') { text.textContent = '进行中 ' + state.done + ' / ' + state.total; again(700); return; }
          window.location.reload();
        })
        .catch(function () { text.textContent = '暂时联系不上服务器，正在重试'; again(3000); });
    }
    again(500);
  }

  // One group of the menu is open at a time; a click elsewhere or the escape key closes it.
  var groups = document.querySelectorAll('.site-menu-group');
  function closeGroups(opened) {
    Array.prototype.forEach.call(groups, function (group) { if (group !== opened) { group.open = false; } });
  }
  document.addEventListener('click', function (event) { closeGroups(event.target.closest('.site-menu-group')); });
  document.addEventListener('keydown', function (event) {
    var group = event.target.closest && event.target.closest('.site-menu-group');
    if (event.key === 'Escape' && group) { group.open = false; group.querySelector('summary').focus(); }
  });

  // A button that copies the text of a field; by the old command, which works without https too.
  Array.prototype.forEach.call(document.querySelectorAll('[data-copy]'), function (button) {
    var label = button.textContent;
    button.hidden = false;
    button.addEventListener('click', function () {
      document.getElementById(button.getAttribute('data-copy')).select();
      button.textContent = document.execCommand('copy') ? '已复制' : '请按 Ctrl+C 复制';
      window.setTimeout(function () { button.textContent = label; }, 3000);
    });
  });

  // On a phone a form of many filters that narrows nothing yet shows its first field; the others unfold.
  Array.prototype.forEach.call(document.querySelectorAll('form.filters'), function (form) {
    var rest = Array.prototype.slice.call(form.querySelectorAll(':scope > div'), 1);
    if (window.innerWidth >= 600 || rest.length < 3 || window.location.search.length > 1) { return; }
    var more = document.createElement('button');
    more.type = 'button';
    more.className = 'btn btn-outline-primary';
    more.textContent = '更多条件';
    more.addEventListener('click', function () {
      rest.forEach(function (field) { field.hidden = false; });
      more.hidden = true;
      rest[0].querySelector('input, select, button').focus();
    });
    rest = rest.filter(function (field) { return !field.querySelector('button'); });
    rest.forEach(function (field) { field.hidden = true; });
    form.insertBefore(more, rest[0]);
  });

  // A box at the head of a table ticks all boxes of its form that have the name it gives.
  Array.prototype.forEach.call(document.querySelectorAll('[data-tick-all]'), function (all) {
    all.hidden = false;
    all.addEventListener('change', function () {
      Array.prototype.forEach.call(all.form.elements, function (box) {
        if (box.type === 'checkbox' && box.name === all.getAttribute('data-tick-all') && !box.disabled) { box.checked = all.checked; }
      });
    });
  });

  // A frame that scrolls takes the focus, so that arrow keys move it.
  function frameTables() {
    Array.prototype.forEach.call(document.querySelectorAll('.table-frame'), function (frame) {
      if (frame.getAttribute('role') === 'region') { return; }
      if (frame.scrollWidth > frame.clientWidth || frame.scrollHeight > frame.clientHeight) {
        frame.tabIndex = 0;
        frame.setAttribute('role', 'group');
        frame.setAttribute('aria-label', '表格，可滚动查看');
      } else {
        ['tabindex', 'role', 'aria-label'].forEach(function (name) { frame.removeAttribute(name); });
      }
    });
  }
  // Whoever is signed in gets a sentence instead of the browser's error page where the network is gone.
  var worker = document.body.getAttribute('data-worker');
  if (worker && navigator.serviceWorker) {
    window.setTimeout(function () { navigator.serviceWorker.register(worker).catch(function () { return undefined; }); }, 8000);
  }

  window.addEventListener('resize', frameTables);
  frameTables();

  Array.prototype.forEach.call(document.querySelectorAll('.job[data-poll]'), function (job) {
    if (!job.hasAttribute('data-finished')) { follow(job); }
  });
}());
