// A mock paper on the exam page: the same paper, sheet, clock and hand-in. Its answers stay on the device, and go out in one call at the hand-in.
(function (exam) {
  'use strict';

  if (/is-old-browser/.test(document.documentElement.className)) {
    document.getElementById('wait-back').hidden = document.getElementById('wait-help').hidden = false;
    return;
  }

  var WARNED_MINUTES = [10, 5, 1];
  var data = document.body.dataset;
  var person = { id: Number(data.personId), name: data.personName };
  var name = 'mock-' + data.run;
  var paper = JSON.parse(document.getElementById('paper').dataset.paper);
  var clock = exam.createClock();
  var net = exam.createNet(clock, data.csrf);
  var box = exam.createBox(data.deviceKey);
  var queue = exam.createQueue(name, 'mock', person.id, box);
  var bars = exam.createBars();
  var panels = exam.createPanels(function (number) { view.go(number, true); });
  var view = null;
  var warned = {};
  var isTimeUp = false;
  var isOver = false;
  var isHandingIn = false;
  var failures = 0;

  function byId(id) { return document.getElementById(id); }

  function saved() {
    if (!queue.isStored()) { return; }
    byId('saved').textContent = '已存本机 ' + exam.wallTime(clock.now());
    byId('saved').className = 'saved is-saved';
  }

  function begin(left) {
    queue.begin({ answers: [], unsure: [] }, 1, left && left.person === person.id ? left : null);
    view = exam.createView(paper, {
      answered: function (item, response, isText) { queue.change(item, response, isText); saved(); },
      marked: function (items) { queue.setUnsure(items); saved(); },
      leaveSheet: function () { exam.closeSheet(); },
      moved: function (item) { exam.rememberItem(name, item); }
    });
    view.fill(queue.answers(), queue.unsure());
    exam.watchControls({ view: view, panels: panels, askHandIn: askHandIn, handIn: handIn, cancelHandIn: cancelHandIn });
    exam.warnBeforeLoss(queue);
    queue.whenBroken(function () { bars.note('本机不能暂存答案（可能是无痕模式或存储已满），请不要关闭或刷新页面。'); });
    if (clock.remaining() <= 0 && view.blanks().length === view.count) { offerAgain('这份模拟卷的时间已到，本机没有作答。'); return; }
    panels.close();
    view.go(exam.lastItem(name) || view.blanks()[0] || 1, true);
    exam.rememberItem(name, view.current());
    tick();
    window.setInterval(tick, 500);
  }

  function offerAgain(text) {
    isOver = true;
    panels.stop('重新模拟', text + '可以重新抽一份。', { text: '重新模拟', act: function () { byId('again').submit(); } });
  }

  function askHandIn() {
    panels.askHandIn({ blanks: view.blanks(), unsure: view.unsure(), unsent: [], count: view.count, isLocal: true });
  }

  function answers() {
    var given = queue.answers();
    var unsure = view.unsure();
    return Object.keys(given).map(Number).filter(function (item) { return exam.isAnswered(given[item]); }).map(function (item) {
      return { item: item, response: given[item], unsure: unsure.indexOf(item) >= 0 };
    });
  }

  function handIn() {
    view.lock(true);
    isHandingIn = true;
    failures = 0;
    panels.wait('正在交卷', '正在提交全部答案，请稍候。');
    send();
  }

  function cancelHandIn() {
    isHandingIn = false;
    view.lock(isTimeUp);
    panels.close();
  }

  function send() {
    if (!isHandingIn || isOver) { return; }
    net.call('POST', '/practice/runs/' + data.run + '/submission', { answers: answers() }).then(function (answer) {
      if (!isHandingIn || isOver) { return; }
      if (answer.status === 200) { finish(answer.body); } else if (answer.status >= 500 || answer.status === 429 && !answer.body.message) { later(); }
      else if (answer.status === 404) { queue.wipe(); offerAgain('这份模拟卷已经换过。'); }
      else { reject(answer.body.message || '请稍后再试。'); }
    }, later);
  }

  function later() {
    if (!isHandingIn || isOver) { return; }
    failures += 1;
    var button = isTimeUp ? null : { text: '取消交卷，继续答题', act: cancelHandIn };
    panels.wait('正在交卷', '网络不通，正在自动重试（第 ' + failures + ' 次）。答案在本机，网络恢复后自动交卷，请不要关闭页面。', button);
    window.setTimeout(send, exam.pauseAfter(failures));
  }

  function reject(text) {
    isHandingIn = false;
    panels.stop('交卷没有成功', text, isTimeUp ? { text: '再交一次', act: handIn } : { text: '返回答题', act: cancelHandIn });
  }

  function finish(body) {
    isOver = true;
    queue.wipe();
    document.body.classList.add('is-over');
    byId('mock-right').textContent = body.right_count + ' 题，共 ' + body.total + ' 题';
    panels.open('panel-receipt');
  }

  function tick() {
    if (isOver) { return; }
    var left = clock.remaining();
    byId('time').textContent = exam.countdown(left);
    document.body.classList.toggle('is-late', left < 300000);
    WARNED_MINUTES.forEach(function (minutes) {
      if (left > minutes * 60000 || left <= minutes * 60000 - 5000 || warned[minutes]) { return; }
      warned[minutes] = true;
      bars.say('还剩 ' + minutes + ' 分钟');
      bars.warn('模拟还剩 ' + minutes + ' 分钟，到时间自动交卷。', minutes === 1);
    });
    if (left <= 0 && !isTimeUp) {
      isTimeUp = true;
      if (!isHandingIn) { handIn(); }
    }
  }

  exam.watchSize();
  exam.watchLeadOn();
  clock.note(data.now, clock.mono(), clock.mono());
  clock.setDeadline(data.ends);
  net.whenSignedOut(function () { return exam.askToSignIn(panels, net, person); });
  queue.load().then(begin);
}(window.ExamPage = window.ExamPage || {}));
