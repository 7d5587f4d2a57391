// A chapter that was taken along: read and answered without a network, sent with the exam page's queue and net once it is back.
(function (exam) {
  'use strict';

  var page = document.getElementById('taken');
  if (!page) { return; }
  var run = page.dataset.run;
  var takenState = document.getElementById('taken-state');
  var button = document.getElementById('taken-send');
  var queue = exam.createQueue('study-' + run, 'study', Number(page.dataset.person), null);
  var net = exam.createNet(exam.createClock(), page.dataset.csrf);
  var failures = 0;
  var isSending = false;
  var isFinal = exam.readSetting('study-final') === run;

  function say(text) { takenState.textContent = text; }

  function blocks() { return Array.prototype.slice.call(page.querySelectorAll('[data-item]')); }

  function chosen(block) {
    var texts = block.querySelectorAll('input[type="text"]');
    if (texts.length) { return Array.prototype.map.call(texts, function (input) { return input.value; }); }
    var own = block.querySelector('[data-field]');
    if (own) { return own.hasAttribute('data-answered') ? exam.fields[own.dataset.field].read(own) : []; }
    return Array.prototype.map.call(block.querySelectorAll('input:checked'), function (input) { return input.value; });
  }

  function show(block, response) {
    var own = block.querySelector('[data-field]');
    if (own) { exam.fields[own.dataset.field].show(own, response); return; }
    Array.prototype.forEach.call(block.querySelectorAll('input'), function (input, position) {
      if (input.type === 'text') { input.value = response[position] || ''; } else { input.checked = response.indexOf(input.value) >= 0; }
    });
  }

  function missing() {
    return blocks().filter(function (block) { return !chosen(block).join(''); }).length;
  }

  function lock() {
    blocks().forEach(function (block) {
      Array.prototype.forEach.call(block.querySelectorAll('input'), function (input) { input.disabled = true; });
      Array.prototype.forEach.call(block.querySelectorAll('button'), function (one) { one.disabled = true; });
    });
    button.disabled = true;
  }

  function later() {
    failures += 1;
    say('网络中断，答案已存在本机，恢复后自动上传（' + queue.pending().length + ' 题待传）。');
    window.setTimeout(send, exam.pauseAfter(failures));
  }

  // One answer after another: each is final at the server, a repeated one changes nothing.
  function send() {
    if (isSending || !isFinal) { return; }
    var next = queue.batch(1)[0];
    if (!next) { finish(); return; }
    isSending = true;
    say('正在上传，还有 ' + queue.pending().length + ' 题……');
    net.call('PUT', '/practice/items/' + next.item + '/answer', { response: next.response }).then(function (answer) {
      isSending = false;
      if (answer.status === 200 || answer.status === 404) {
        var acked = {};
        acked[next.item] = next.seq;
        failures = 0;
        queue.settle([next], acked, {});
        send();
      } else if (answer.status >= 500 || answer.status === 429 || answer.status === 401) { later(); } else {
        say(answer.body.message || '没有提交成功，请刷新页面后重试。');
      }
    }, function () { isSending = false; later(); });
  }

  function finish() {
    isFinal = false; // a try that still waits for its turn finds nothing to send
    queue.wipe();
    exam.writeSetting('study-final', '');
    window.location.assign(page.dataset.result);
  }

  function start(left) {
    var isOurs = left && left.person === Number(page.dataset.person);
    queue.begin({ answers: [], unsure: [] }, 1, isOurs ? left : null);
    var answers = queue.answers();
    blocks().forEach(function (block) {
      if (answers[block.dataset.item]) { show(block, answers[block.dataset.item]); }
    });
    page.addEventListener('change', function (event) {
      var block = event.target;
      while (block && !block.dataset.item) { block = block.parentElement; }
      if (!block || isFinal) { return; }
      queue.change(Number(block.dataset.item), chosen(block), Boolean(block.querySelector('input[type="text"]')));
      say(missing() ? '还有 ' + missing() + ' 题未答，答案已存在本机。' : '都答完了，可以提交。');
    });
    button.addEventListener('click', function () {
      if (missing()) { say('还有 ' + missing() + ' 题未答，答完再提交。'); return; }
      isFinal = true;
      exam.writeSetting('study-final', run);
      lock();
      send();
    });
    window.addEventListener('online', function () { failures = 0; send(); });
    if (isFinal) { lock(); send(); }
  }

  net.whenSignedOut(function () {
    say('登录已过期，答案还在本机。请在新页面登录后回到这里，会自动上传。');
    return new Promise(function (resolve) { window.setTimeout(resolve, 15000); });
  });
  queue.load().then(start);
}(window.ExamPage = window.ExamPage || {}));
