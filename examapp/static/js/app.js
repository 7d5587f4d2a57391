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

  // From a page that says why something was not done, back to where it was asked for.
  var goBack = document.querySelector('[data-go-back]');
  if (goBack && window.history.length > 1) {
    goBack.hidden = false;
    goBack.addEventListener('click', function () { window.history.back(); });
  }

  // Answers kept on this device go with the sign-out; what has not reached the server yet is asked about first.
  function forgetExams() {
    var keys;
    var waiting = 0;
    var inMocks = 0;
    try {
      keys = Object.keys(window.localStorage).filter(function (key) { return key.indexOf('exam:') === 0; });
      keys.forEach(function (key) {
        var state = JSON.parse(window.localStorage.getItem(key));
        var count = Object.keys(state.pending || {}).length;
        if (state.exam === 'mock') { inMocks += count; } else { waiting += count; }
      });
    } catch (error) { return true; }
    var isInExam = Boolean(document.querySelector('.live-bar, .exam-now a[href$="/sit"]'));
    if (isInExam && !waiting && !window.confirm('考试正在进行，退出登录后计时不停。确定退出吗？')) { return false; }
    if (waiting && !window.confirm('本机还有 ' + waiting + ' 题没有上传，退出登录会清除。请先回到考试页面等待上传。仍要退出吗？')) { return false; }
    if (inMocks && !window.confirm('模拟卷还没有交，退出登录会清除本机上已答的 ' + inMocks + ' 题。仍要退出吗？')) { return false; }
    keys.forEach(function (key) { window.localStorage.removeItem(key); });
    return true;
  }

  // What the shell of a page without network knows of the display.
  try {
    window.localStorage.setItem('setting:elder', document.documentElement.classList.contains('elder') ? '1' : '');
  } catch (error) { /* nothing is kept here */ }

  // A mock paper that was handed in, on another device perhaps, leaves nothing here.
  var handedIn = document.querySelector('[data-mock-done]');
  if (handedIn) {
    try { window.localStorage.removeItem('exam:mock-' + handedIn.getAttribute('data-mock-done')); } catch (error) { /* nothing is kept here */ }
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

  function isNarrow() { return window.innerWidth < 600; }
  function all(selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); }

  // On a phone a form of many filters shows its first field and those that narrow the list; the others unfold. A form that does something stays whole.
  function isSet(field) {
    return all('input, select, textarea', field).some(function (control) {
      if (control.type === 'checkbox' || control.type === 'radio') { return control.checked; }
      return control.tagName === 'SELECT' ? control.selectedIndex > 0 : control.value !== '';
    });
  }
  function foldFilters(form) {
    if (!isNarrow()) {
      (form.folded || []).forEach(function (part, index) { part.hidden = index === 0; });
      form.folded = null;
      return;
    }
    var rest = all(':scope > div', form).slice(1).filter(function (field) {
      return !field.querySelector('button, .field-error') && !isSet(field);
    });
    if (form.folded || rest.length < 3 || form.querySelector('.btn-primary')) { return; }
    form.folded = [moreFilters(form, rest)].concat(rest);
    form.folded.forEach(function (part, index) { part.hidden = index > 0; });
  }
  function moreFilters(form, rest) {
    var more = form.querySelector('.more-filters') || document.createElement('button');
    more.type = 'button';
    more.className = 'btn btn-outline-primary more-filters';
    more.textContent = '更多条件';
    more.onclick = function () {
      rest.forEach(function (field) { field.hidden = false; });
      more.hidden = true;
      rest[0].querySelector('input, select, button').focus();
    };
    form.insertBefore(more, rest[0]);
    return more;
  }

  // A box at the head of a table ticks all boxes of its form that have the name it gives.
  all('[data-tick-all]').forEach(function (head) {
    head.hidden = false;
    if (head.closest('thead')) { head.closest('thead').classList.add('has-tick'); head.parentNode.classList.add('tick-head'); }
    head.addEventListener('change', function () {
      Array.prototype.forEach.call(head.form.elements, function (box) {
        if (box.type === 'checkbox' && box.name === head.getAttribute('data-tick-all') && !box.disabled) { box.checked = head.checked; }
      });
      var list = head.closest('table');
      if (list) { growList(list.tBodies[0], Infinity); }
    });
  });

  // On a phone a table that is too wide becomes cards, one a row: what stands in a row says its head. Figures stay a table that scrolls.
  function turnToCards(table) {
    var frame = table.parentNode;
    var heads = table.tHead && table.tHead.rows.length === 1 ? all('th, td', table.tHead) : [];
    var figures = heads.filter(function (head) { return head.classList.contains('number'); });
    var isPlain = heads.length > 2 && figures.length * 2 <= heads.length && !table.querySelector('[colspan], [rowspan]');
    if (!isPlain || table.classList.contains('stacked') || frame.scrollWidth <= frame.clientWidth) { return; }
    var first = titleOf(heads, table);
    all('tbody > tr', table).forEach(function (row) {
      Array.prototype.forEach.call(row.cells, function (cell, index) {
        var text = heads[index] ? heads[index].textContent.trim() : '';
        if (index === first) { cell.classList.add('card-title'); }
        else if (cell.querySelector('input[type="checkbox"]')) { cell.classList.add('card-tick'); }
        else if (cell.textContent.trim() === '–') { cell.classList.add('is-blank'); }
        else if (text && !/^(办理|操作)$/.test(text) && !cell.querySelector('form, button')) { cell.setAttribute('data-head', text); }
      });
    });
    table.classList.add('stacked', 'cards-of-rows');
  }

  // What a card is called: the first cell that leads to a page, else the first that is no box and no running number.
  function titleOf(heads, table) {
    var cells = table.tBodies[0] && table.tBodies[0].rows.length ? Array.prototype.slice.call(table.tBodies[0].rows[0].cells) : [];
    var linked = cells.filter(function (cell) { return cell.querySelector('a') && !cell.querySelector('form'); })[0];
    if (linked) { return cells.indexOf(linked); }
    return heads[0].querySelector('input') || /^(序号|编号|行|)$/.test(heads[0].textContent.trim()) ? 1 : 0;
  }

  // On a phone a long list shows what a screen or two hold; a button brings its next rows. On paper, and where a hidden field is wrong, all of it stands.
  var LISTS = '.table-frame > table > tbody, .home-list, [data-long-list]';
  var isElder = document.documentElement.classList.contains('elder');
  var LONG = isElder ? 700 : 1100;
  var SHORTEST = isElder ? 300 : 400;
  var PART = 20;
  function rowsOf(list) {
    return Array.prototype.filter.call(list.children, function (row) { return !row.classList.contains('more-rows'); });
  }
  function showRows(list, count) {
    var rows = rowsOf(list);
    list.shownRows = Math.max(list.shownRows || 0, count);
    rows.forEach(function (row, index) { row.classList.toggle('is-folded', index >= list.shownRows); });
    if (!list.moreRows) { list.moreRows = addMore(list); }
    var left = rows.length - list.shownRows;
    list.moreRows.hidden = left <= 0;
    if (left > 0) { list.moreRows.firstChild.textContent = '再显示 ' + Math.min(PART, left) + ' 条（还有 ' + left + ' 条）'; }
  }
  // What somebody unfolded stays so; the rest is measured again where the window's width changes and a table has become cards.
  function growList(list, count) {
    list.isGrown = true;
    showRows(list, count);
  }
  function addMore(list) {
    var more = document.createElement('p');
    more.className = 'more-rows d-print-none';
    more.innerHTML = '<button class="btn btn-outline-primary" type="button"></button>';
    more.firstChild.addEventListener('click', function () {
      var next = rowsOf(list)[list.shownRows];
      growList(list, list.shownRows + PART);
      next.tabIndex = -1;
      next.focus({ preventScroll: true });
    });
    var frame = list.closest('.table-frame') || list.closest('table') || list;
    frame.parentNode.insertBefore(more, frame.nextSibling);
    return more;
  }
  function foldLists(root) {
    var lists = all(LISTS, root);
    lists.forEach(function (list) { if (list.moreRows && !list.isGrown) { list.shownRows = 0; showRows(list, Infinity); list.shownRows = 0; } });
    var long = lists.filter(function (list) { return list.offsetHeight > SHORTEST; });
    if (!isNarrow()) { lists.forEach(function (list) { if (list.moreRows) { showRows(list, Infinity); list.shownRows = 0; list.isGrown = false; } }); return; }
    var taken = lists.reduce(function (sum, list) { return sum + (long.indexOf(list) < 0 ? list.offsetHeight : 0); }, 0);
    var height = Math.max(SHORTEST, (LONG - taken) / Math.max(long.length, 1));
    long.forEach(function (list) {
      var rows = rowsOf(list);
      var top = rows[0].offsetTop;
      var fitting = rows.filter(function (row) { return row.offsetTop + row.offsetHeight - top <= height; }).length;
      var isFolded = !list.shownRows && fitting < rows.length && rows.length > 3;
      if (isFolded) { showRows(list, Math.max(fitting, 3)); }
    });
  }
  function unfoldAround(element) {
    var row = element && element.closest && element.closest('.is-folded');
    if (row) { growList(row.parentNode, Infinity); }
    for (var part = element; part && part.closest; part = part.parentNode) { if (part.tagName === 'DETAILS') { part.open = true; } }
  }
  // Parts of a long page that a phone shows folded; on a wide window they stand open.
  function foldSections() {
    var target = window.location.hash.length > 1 && document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    all('details[data-fold-narrow]').forEach(function (part) {
      if (isNarrow() && !part.isHandled && !part.querySelector('.field-error') && !part.contains(target || null)) { part.open = false; }
      if (!isNarrow() && part.isHandled) { part.open = true; }
      part.isHandled = isNarrow();
    });
  }
  document.addEventListener('invalid', function (event) { unfoldAround(event.target); }, true);
  document.addEventListener('toggle', function (event) { if (event.target.open && isNarrow()) { arrange(event.target); } }, true);
  window.addEventListener('beforeprint', function () { all('.is-folded, details[data-fold-narrow] > *').forEach(unfoldAround); });
  window.addEventListener('hashchange', function () { leadTo(window.location.hash); });
  function leadTo(hash) {
    var target = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
    if (target && target.closest('.is-folded, details:not([open])')) { unfoldAround(target); target.scrollIntoView(); }
  }

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

  function arrange(root) {
    if (isNarrow()) { all('.table-frame > table', root).forEach(turnToCards); }
    foldLists(root);
    frameTables();
  }
  function arrangePage() {
    foldSections();
    all('form.filters').forEach(foldFilters);
    arrange();
  }
  // A phone also tells of a new height, with each keyboard and address bar that comes and goes.
  var width = window.innerWidth;
  window.addEventListener('resize', function () {
    if (window.innerWidth !== width) { width = window.innerWidth; arrangePage(); }
  });
  arrangePage();
  leadTo(window.location.hash);

  Array.prototype.forEach.call(document.querySelectorAll('.job[data-poll]'), function (job) {
    if (!job.hasAttribute('data-finished')) { follow(job); }
  });
}());
