// What stands before the paper: waiting for a place, hand-in, signing in again, the receipt; and the bars above it.
(function (exam) {
  'use strict';

  var el = exam.el;
  var REASONS = {
    unknown_item: '试卷中没有这道题', unknown_option: '选项不存在', too_many_options: '只能选一项', repeated_option: '选项重复',
    wrong_count: '填写的空数不对', too_long: '文字超过 4,000 字', bad_text: '含有不能识别的字符', seq_conflict: '与服务器上的记录不一致',
    bad_request: '内容不能识别', not_kept: '迟到的内容过多，服务器没有保存'
  };
  exam.reasonFor = function (code) { return REASONS[code] || '未被接受'; };

  function byId(id) { return document.getElementById(id); }

  exam.createPanels = function (goTo) {
    var opened = byId('panel-wait');
    var before = null;
    var behind = null;
    var pages = document.querySelectorAll('[data-page]');

    function hidePage(isHidden) {
      Array.prototype.forEach.call(pages, function (node) {
        if (isHidden) { node.setAttribute('aria-hidden', 'true'); } else { node.removeAttribute('aria-hidden'); }
      });
      document.body.classList.toggle('has-panel', isHidden);
    }

    function open(id) {
      if (opened) { opened.hidden = true; } else { before = document.activeElement; }
      opened = byId(id);
      opened.hidden = false;
      byId('overlay').hidden = false;
      hidePage(true);
      (opened.querySelector('[data-first]') || opened.querySelector('h2')).focus();
    }

    function close() {
      if (!opened) { return; }
      opened.hidden = true;
      opened = null;
      byId('overlay').hidden = true;
      hidePage(false);
      if (before && before.focus) { before.focus(); }
    }

    function isOpen(id) { return Boolean(opened) && (!id || opened.id === id); }

    // What stood on the page before the sign-in stands there again after it.
    function openSignIn() {
      behind = isOpen('panel-wait') || isOpen('panel-choose') ? opened.id : null;
      open('panel-sign-in');
    }

    function closeSignIn() {
      if (behind) { open(behind); } else { close(); }
    }

    function focusable() {
      return Array.prototype.filter.call(opened.querySelectorAll('a[href], button, input'), function (node) {
        return !node.disabled && node.offsetParent !== null;
      });
    }

    hidePage(true);
    document.addEventListener('keydown', function (event) {
      if (!opened) { return; }
      if (event.key === 'Escape' && opened.hasAttribute('data-may-close')) { close(); return; }
      var nodes = event.key === 'Tab' ? focusable() : [];
      if (!nodes.length) { return; }
      var edge = event.shiftKey ? nodes[0] : nodes[nodes.length - 1];
      if (document.activeElement === edge || !opened.contains(document.activeElement)) {
        event.preventDefault();
        (event.shiftKey ? nodes[nodes.length - 1] : nodes[0]).focus();
      }
    });

    // A button beside what is waited for is the way out of it, not what is advised.
    function wait(title, text, button) {
      byId('wait-title').textContent = title;
      byId('wait-text').textContent = text || '';
      byId('wait-back').hidden = byId('wait-help').hidden = true;
      byId('wait-act').hidden = !button;
      byId('wait-act').className = '';
      if (button) { offer(button); }
      if (isOpen('panel-sign-in')) { behind = 'panel-wait'; return; }
      if (!isOpen('panel-wait')) { open('panel-wait'); }
    }

    function offer(button) {
      byId('wait-act').textContent = button.text;
      byId('wait-act').onclick = button.act;
    }

    function stop(title, text, button) {
      wait(title, text, button);
      byId('wait-back').hidden = byId('wait-help').hidden = false;
      byId('wait-act').className = 'primary';
    }

    function listItems(container, title, numbers) {
      if (!numbers.length) { return; }
      var row = el('div', 'hand-in-row');
      row.appendChild(el('h3', '', title + '（' + numbers.length + ' 题）'));
      var links = el('p', 'hand-in-links');
      numbers.forEach(function (number) {
        var link = el('a', '', '第 ' + number + ' 题');
        link.href = '#item-' + number;
        link.addEventListener('click', function (event) { event.preventDefault(); before = null; close(); goTo(number); });
        links.appendChild(link);
      });
      row.appendChild(links);
      container.appendChild(row);
    }

    function askHandIn(state) {
      var container = byId('hand-in-lists');
      var first = byId('hand-in-first');
      container.textContent = '';
      byId('hand-in-blanks').hidden = first.hidden = !state.blanks.length;
      byId('hand-in-blanks').textContent = '还有 ' + state.blanks.length + ' 题未答。';
      first.textContent = '去答第 ' + state.blanks[0] + ' 题';
      first.onclick = function () { before = null; close(); goTo(state.blanks[0]); };
      byId('hand-in-confirm').className = state.blanks.length ? '' : 'primary';
      listItems(container, '还没有作答', state.blanks);
      listItems(container, '标了存疑', state.unsure);
      listItems(container, '还没有上传', state.unsent);
      if (!container.firstChild) { container.appendChild(el('p', '', '全部 ' + state.count + ' 题都已作答' + (state.isLocal ? '。' : '并上传。'))); }
      byId('hand-in-done').textContent = '已答 ' + (state.count - state.blanks.length) + ' 题，共 ' + state.count + ' 题。交卷后不能再改。';
      open('panel-hand-in');
    }

    function receipt(value, text, isEarly) {
      byId('receipt-title').textContent = !value.forced ? '交卷成功' : isEarly ? '离开页面超过规定次数，系统已交卷' : '已到时间，系统已交卷';
      byId('receipt-number').textContent = value.number;
      byId('receipt-time').textContent = exam.wallDay(Date.parse(value.submitted_at));
      byId('receipt-count').textContent = value.answered + ' 题，共 ' + value.total + ' 题';
      byId('receipt-text').textContent = text || '';
      byId('receipt-text').hidden = !text;
      open('panel-receipt');
    }

    return { open: open, close: close, wait: wait, stop: stop, askHandIn: askHandIn, receipt: receipt,
      openSignIn: openSignIn, closeSignIn: closeSignIn, isOpen: isOpen };
  };

  // Signing in again over the paper, which stays as it is; only the same person may go on with it. What the panel does not know (a captcha, a
  // one-time code, a ticket, a new password) is done on the sign-in page in a tab of its own: coming back, the page finds out by itself.
  exam.askToSignIn = function (panels, net, person) {
    return new Promise(function (resolve) {
      var form = byId('sign-in-form');
      var text = byId('sign-in-text');
      var password = byId('sign-in-password');
      var isDone = false;
      text.textContent = '';
      panels.openSignIn();
      window.addEventListener('focus', look);
      document.addEventListener('visibilitychange', look);
      form.onsubmit = function (event) {
        event.preventDefault();
        byId('sign-in-button').disabled = true;
        net.signIn(byId('sign-in-name').value, password.value).then(judge, function () {
          return '暂时联系不上服务器，请稍后再点一次登录。答案没有丢失。';
        }).then(function (rejection) {
          byId('sign-in-button').disabled = false;
          text.textContent = rejection || '';
          password.value = '';
          if (rejection) { password.focus(); } else { done(); }
        });
      };
      function look() {
        if (document.hidden) { return; }
        net.renewToken().then(function (answer) {
          if (isDone || answer.status === 401 || answer.status >= 500) { return; }
          var rejection = judge(answer);
          if (rejection) { text.textContent = rejection; } else { done(); }
        }, function () { return undefined; });
      }
      function done() {
        if (isDone) { return; }
        isDone = true;
        window.removeEventListener('focus', look);
        document.removeEventListener('visibilitychange', look);
        panels.closeSignIn();
        resolve();
      }
      function judge(answer) {
        if (answer.status !== 200) { return answer.body.message || '登录没有成功，请再试一次。'; }
        return answer.body.person.id === person.id ? null : '这份试卷是“' + person.name + '”的，请用本人的账号登录。';
      }
    });
  };

  exam.timeUpText = function (count) { return count ? '已到时间，本机有 ' + count + ' 题未上传' : '已到时间，还没有交卷'; };

  exam.createBars = function () {
    var banner = byId('banner');
    var saved = byId('saved');
    // How much waits is said only where something does.
    function waits(count) { return count ? '（' + count + ' 题待传）' : '。'; }
    function show(text, isUrgent) {
      banner.hidden = !text;
      if (banner.textContent !== text) { banner.textContent = text; }
      banner.classList.toggle('is-urgent', Boolean(isUrgent));
    }
    return {
      offline: function (count, isTimeUp, isServerBusy) {
        if (isServerBusy && !isTimeUp) { show((count ? '服务器正忙，答案已存在本机，稍后自动上传' : '服务器正忙，可继续答题，答案暂存本机，稍后自动上传') + waits(count)); return; }
        show(isTimeUp ? exam.timeUpText(count) + '。请不要关闭页面，网络恢复后自动' + (count ? '上传。' : '交卷。')
          : (count ? '网络中断，答案已存在本机，恢复后自动上传' : '网络中断，可继续答题，答案暂存本机，恢复后自动上传') + waits(count), isTimeUp);
      },
      unkept: function (count) { show('网络中断，本机不能暂存答案，请不要关闭或刷新页面' + waits(count), true); },
      online: function () { show(''); },
      saved: function (instant) { saved.textContent = '已保存 ' + exam.wallTime(instant); saved.className = 'saved is-saved'; },
      waiting: function (count, isFailing) {
        if (!count) { return; }
        saved.textContent = isFailing ? '未保存 ' + count + ' 题' : '保存中…';
        saved.className = isFailing ? 'saved is-waiting' : 'saved';
      },
      note: function (text) {
        var shown = Array.prototype.some.call(byId('notes').children, function (one) { return one.firstChild.textContent === text; });
        if (shown) { return; }
        var bar = el('p', 'bar');
        bar.appendChild(el('span', '', text));
        var button = el('button', 'plain', '知道了');
        button.type = 'button';
        button.addEventListener('click', function () { bar.parentNode.removeChild(bar); });
        bar.appendChild(button);
        byId('notes').appendChild(bar);
      },
      // What must be seen at once, whatever part of the page is on the screen: the newest word stands. `say` tells it to who reads by ear.
      warn: function (text, isUrgent) {
        byId('warning-text').textContent = text;
        byId('warning').classList.toggle('is-urgent', Boolean(isUrgent));
        byId('warning').hidden = false;
        byId('warning-close').onclick = function () { byId('warning').hidden = true; };
      },
      say: function (text) { byId('spoken').textContent = text; }
    };
  };
}(window.ExamPage = window.ExamPage || {}));
// Buttons and keys of the exam page, and what it notes of the device: away, asleep, back.
(function (exam) {
  'use strict';

  var MIN_AWAY_MS = 1000;
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
    byId('next').addEventListener('click', function () { if (view.isAtEnd()) { page.askHandIn(); } else { view.step(1); } });
    byId('open-sheet').addEventListener('click', toggleSheet);
    byId('close-sheet').addEventListener('click', exam.closeSheet);
    byId('open-tools').addEventListener('click', function () {
      byId('open-tools').setAttribute('aria-expanded', String(document.body.classList.toggle('tools-open')));
    });
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
      if (queue.isStored() || !queue.pending().length) { return; }
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
      if (asleep > SLEEP_MS) { queue.note('screen_off', at, Math.round(away + asleep)); reportAway(away + asleep, false); }
      else if (away >= MIN_AWAY_MS) { queue.note('focus_loss', at, Math.round(away)); reportAway(away, true); }
      sync.now();
    }

    function warning(times) {
      var left = limit - times;
      if (left < 0) { return '切屏已超过规定的 ' + limit + ' 次，系统将自动交卷。'; }
      return '已切屏 ' + times + ' 次，再切 ' + (left + 1) + ' 次将自动交卷。';
    }

    function reportAway(away, isLoss) {
      var text = limit && isLoss ? warning(queue.focusLossCount()) : '';
      bars.say('您刚才离开页面 ' + exam.formatDuration(away) + '，已记录。' + text);
      if (text) { bars.warn(text, true); }
      show();
    }

    function show() {
      var times = queue.timesLeft();
      byId('presence').textContent = (times ? '离开页面 ' + times + ' 次，已如实记录' : '暂无切屏记录') +
        (limit ? '；本场规定切屏不超过 ' + limit + ' 次，超过即自动交卷。' : '，不影响成绩。');
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
    window.addEventListener('offline', sync.lost);
    window.addEventListener('pageshow', function (event) { if (event.persisted) { window.location.reload(); } });
    show();
  };
}(window.ExamPage = window.ExamPage || {}));
