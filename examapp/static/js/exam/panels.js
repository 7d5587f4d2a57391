// What stands before the paper: waiting for a place, hand-in, signing in again, the receipt; and the bars above it.
(function (exam) {
  'use strict';

  var el = exam.el;
  var REASONS = {
    unknown_item: '试卷中没有这道题', unknown_option: '选项不存在', too_many_options: '只能选一项', repeated_option: '选项重复',
    wrong_count: '填写的空数不对', too_long: '文字超过 4,000 字', bad_text: '含有不能识别的字符', seq_conflict: '与服务器上的记录不一致',
    bad_request: '内容不能识别'
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
      byId('veil').hidden = false;
      hidePage(true);
      (opened.querySelector('[data-first]') || opened.querySelector('h2')).focus();
    }

    function close() {
      if (!opened) { return; }
      opened.hidden = true;
      opened = null;
      byId('veil').hidden = true;
      hidePage(false);
      if (before && before.focus) { before.focus(); }
    }

    function isOpen(id) { return Boolean(opened) && (!id || opened.id === id); }

    // What stood on the page before the sign-in stands there again after it.
    function openSignIn() {
      behind = isOpen('panel-wait') ? 'panel-wait' : null;
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

    function wait(title, words) {
      byId('wait-title').textContent = title;
      byId('wait-words').textContent = words || '';
      byId('wait-back').hidden = true;
      byId('wait-act').hidden = true;
      if (isOpen('panel-sign-in')) { behind = 'panel-wait'; return; }
      if (!isOpen('panel-wait')) { open('panel-wait'); }
    }

    function stop(title, words, button) {
      wait(title, words);
      byId('wait-back').hidden = false;
      byId('wait-act').hidden = !button;
      if (!button) { return; }
      byId('wait-act').textContent = button.words;
      byId('wait-act').onclick = button.act;
    }

    function listItems(place, title, numbers) {
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
      place.appendChild(row);
    }

    function askHandIn(state) {
      var place = byId('hand-in-lists');
      place.textContent = '';
      listItems(place, '还没有作答', state.blanks);
      listItems(place, '标了不确定', state.unsure);
      listItems(place, '还没有上传', state.unsent);
      if (!place.firstChild) { place.appendChild(el('p', '', '全部 ' + state.count + ' 题都已作答并上传。')); }
      byId('hand-in-done').textContent = '已答 ' + (state.count - state.blanks.length) + ' 题，共 ' + state.count + ' 题。交卷后不能再改。';
      open('panel-hand-in');
    }

    function receipt(value, words) {
      byId('receipt-title').textContent = value.forced ? '已到时间，系统已交卷' : '交卷成功';
      byId('receipt-number').textContent = value.number;
      byId('receipt-time').textContent = exam.wallDay(Date.parse(value.submitted_at));
      byId('receipt-count').textContent = value.answered + ' 题，共 ' + value.total + ' 题';
      byId('receipt-words').textContent = words || '';
      byId('receipt-words').hidden = !words;
      open('panel-receipt');
    }

    return { open: open, close: close, wait: wait, stop: stop, askHandIn: askHandIn, receipt: receipt,
      openSignIn: openSignIn, closeSignIn: closeSignIn, isOpen: isOpen };
  };

  // Signing in again over the paper, which stays as it is; only the same person may go on with it.
  exam.askToSignIn = function (panels, net, person) {
    return new Promise(function (resolve) {
      var form = byId('sign-in-form');
      var words = byId('sign-in-words');
      var password = byId('sign-in-password');
      words.textContent = '';
      panels.openSignIn();
      form.onsubmit = function (event) {
        event.preventDefault();
        byId('sign-in-button').disabled = true;
        net.signIn(byId('sign-in-name').value, password.value).then(judge, function () {
          return '暂时联系不上服务器，请稍后再点一次登录。答案没有丢失。';
        }).then(function (refusal) {
          byId('sign-in-button').disabled = false;
          words.textContent = refusal || '';
          password.value = '';
          if (refusal) { password.focus(); return; }
          panels.closeSignIn();
          resolve();
        });
      };
      function judge(answer) {
        if (answer.status !== 200) { return answer.body.message || '登录没有成功，请再试一次。'; }
        return answer.body.person.id === person.id ? null : '这份试卷是「' + person.name + '」的，请用本人的账号登录。';
      }
    });
  };

  exam.createBars = function () {
    var banner = byId('banner');
    var saved = byId('saved');
    function show(words, isUrgent) {
      banner.hidden = !words;
      if (banner.textContent !== words) { banner.textContent = words; }
      banner.classList.toggle('is-urgent', Boolean(isUrgent));
    }
    return {
      offline: function (count, isTimeUp, isServerBusy) {
        if (isServerBusy && !isTimeUp) { show('服务器正忙，答案已存在本机，稍后自动上传（' + count + ' 题待传）'); return; }
        show(isTimeUp ? '已到时间，本机有 ' + count + ' 题未上传。请不要关闭页面，网络恢复后自动上传。'
          : '网络中断，答案已存在本机，恢复后自动上传（' + count + ' 题待传）', isTimeUp);
      },
      unkept: function (count) { show('网络中断，本机不能暂存答案，请不要关闭或刷新页面（' + count + ' 题待传）', true); },
      online: function () { show(''); },
      saved: function (instant) { saved.textContent = '已保存 ' + exam.wallTime(instant); saved.className = 'saved is-saved'; },
      waiting: function (count, isFailing) {
        if (!count) { return; }
        saved.textContent = isFailing ? '未保存 ' + count + ' 题' : '保存中…';
        saved.className = isFailing ? 'saved is-waiting' : 'saved';
      },
      note: function (words) {
        var shown = Array.prototype.some.call(byId('notes').children, function (one) { return one.firstChild.textContent === words; });
        if (shown) { return; }
        var bar = el('p', 'bar');
        bar.appendChild(el('span', '', words));
        var button = el('button', 'plain', '知道了');
        button.type = 'button';
        button.addEventListener('click', function () { bar.parentNode.removeChild(bar); });
        bar.appendChild(button);
        byId('notes').appendChild(bar);
      },
      say: function (words) { byId('spoken').textContent = words; }
    };
  };
}(window.ExamPage = window.ExamPage || {}));
