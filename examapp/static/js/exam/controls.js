// Buttons and keys of the exam page, and what it notes of the device: away, asleep, back.
(function (exam) {
  'use strict';

  var LEAST_AWAY_MS = 1000;
  var SLEEP_MS = 5000;

  function byId(id) { return document.getElementById(id); }

  exam.closeSheet = function () {
    document.body.classList.remove('sheet-open');
    byId('open-sheet').setAttribute('aria-expanded', 'false');
  };

  function toggleSheet() {
    var isOpen = document.body.classList.toggle('sheet-open');
    byId('open-sheet').setAttribute('aria-expanded', String(isOpen));
    if (isOpen) { byId('side-title').focus(); }
  }

  function showAll(isAll, view) {
    document.body.classList.toggle('all', isAll);
    byId('one-view').setAttribute('aria-pressed', String(!isAll));
    byId('all-view').setAttribute('aria-pressed', String(isAll));
    exam.writeSetting('view', isAll ? 'all' : 'one');
    view.go(view.current(), false);
  }

  function isTyping(node) {
    return node && (node.tagName === 'TEXTAREA' || (node.tagName === 'INPUT' && (node.type === 'text' || node.type === 'password')));
  }

  // The mark of focus is for those who move by keys; a tap shows its choice by itself.
  function watchKeys() {
    document.addEventListener('keydown', function () { document.body.classList.add('by-key'); });
    document.addEventListener('mousedown', function () { document.body.classList.remove('by-key'); });
  }

  exam.watchControls = function (page) {
    var view = page.view;
    byId('previous').addEventListener('click', function () { view.step(-1); });
    byId('next').addEventListener('click', function () { view.step(1); });
    byId('open-sheet').addEventListener('click', toggleSheet);
    byId('close-sheet').addEventListener('click', exam.closeSheet);
    byId('one-view').addEventListener('click', function () { showAll(false, view); });
    byId('all-view').addEventListener('click', function () { showAll(true, view); });
    byId('hand-in').addEventListener('click', page.askHandIn);
    byId('sheet-hand-in').addEventListener('click', function () { exam.closeSheet(); page.askHandIn(); });
    byId('hand-in-confirm').addEventListener('click', page.handIn);
    byId('hand-in-back').addEventListener('click', page.cancelHandIn);
    showAll(exam.readSetting('view') === 'all', view);
    watchKeys();
    document.addEventListener('keydown', function (event) {
      if (page.panels.isOpen() || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) { return; }
      if (event.key === 'Escape') { exam.closeSheet(); return; }
      if (event.key === 'ArrowLeft') { view.step(-1); }
      else if (event.key === 'ArrowRight') { view.step(1); }
      else if (event.key === 'u' || event.key === 'U') { view.toggleUnsure(); }
      else if (!view.press(event.key)) { return; }
      event.preventDefault();
    });
  };

  // The shell for a reload without network is kept while nothing else is to be loaded.
  exam.keepShell = function (address) {
    if (!navigator.serviceWorker) { return; }
    window.setTimeout(function () {
      navigator.serviceWorker.register(address, { scope: '/exams/' }).catch(function () { return undefined; });
    }, 15000);
  };

  exam.warnBeforeLoss = function (queue) {
    window.addEventListener('beforeunload', function (event) {
      if (queue.isKept() || !queue.pending().length) { return; }
      event.preventDefault();
      event.returnValue = '';
    });
  };

  // Away is when the page is hidden or another window is in front; asleep is when the device's own seconds are missing.
  exam.watchPresence = function (queue, sync, bars, clock, limit) {
    var leftAt = null;
    var leftWall = 0;
    var lastWall = Date.now();
    var lastMono = clock.mono();

    function leave() {
      if (leftAt !== null || sync.isOver()) { return; }
      leftAt = clock.mono();
      leftWall = Date.now();
      sync.hurry();
    }

    function comeBack() {
      if (leftAt === null || document.hidden) { return; }
      var away = clock.mono() - leftAt;
      var asleep = Date.now() - leftWall - away;
      var at = new Date(leftWall).toISOString();
      leftAt = null;
      if (sync.isOver()) { return; }
      if (asleep > SLEEP_MS) { queue.note('screen_off', at, Math.round(away + asleep)); tell(away + asleep); }
      else if (away >= LEAST_AWAY_MS) { queue.note('focus_loss', at, Math.round(away)); tell(away); }
      sync.now();
    }

    function tell(away) {
      bars.say('您刚才离开页面 ' + exam.inWords(away) + '，已记录。');
      show();
    }

    function show() {
      var times = queue.timesLeft();
      byId('presence').textContent = (times ? '离开页面 ' + times + ' 次，已如实记录' : '没有离开页面的记录') +
        (limit ? '；本场规定不超过 ' + limit + ' 次。' : '，不影响成绩。');
    }

    // The monotonic clock may stand while a device sleeps: the next word of the server sets the countdown right.
    window.setInterval(function () {
      var gap = Math.abs((Date.now() - lastWall) - (clock.mono() - lastMono));
      lastWall = Date.now();
      lastMono = clock.mono();
      if (gap > 2000) { sync.now(); }
    }, 1000);

    document.addEventListener('visibilitychange', function () { if (document.hidden) { leave(); } else { comeBack(); } });
    window.addEventListener('blur', leave);
    window.addEventListener('focus', comeBack);
    // Only hints: what is sent and when never depends on them.
    window.addEventListener('online', sync.now);
    window.addEventListener('offline', sync.now);
    window.addEventListener('pageshow', function (event) { if (event.persisted) { window.location.reload(); } });
    show();
  };
}(window.ExamPage = window.ExamPage || {}));
