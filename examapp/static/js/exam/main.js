// The exam page from its first call to the receipt: gets the attempt, decides which device goes on, and joins clock, queue and paper.
(function (exam) {
  'use strict';

  if (/is-old-browser/.test(document.documentElement.className)) {
    document.getElementById('wait-back').hidden = document.getElementById('wait-help').hidden = false;
    return;
  }

  var SPOKEN_MINUTES = [10, 5, 1];
  var SPREAD_MS = 20000;
  var data = document.body.dataset;
  var examId = Number(data.examId);
  var person = { id: Number(data.personId), name: data.personName };
  var clock = exam.createClock();
  var net = exam.createNet(clock, data.csrf);
  var box = exam.createBox(data.deviceKey);
  var bars = exam.createBars();
  var panels = exam.createPanels(function (number) { view.go(number, true); });
  var attempt = null;
  var queue = null;
  var view = null;
  var paper = null;
  var shownNotice = '';
  var sync = null;
  var spoken = {};
  var isTimeUp = false;
  var timeUpAt = 0;
  var handInAt = 0;

  function byId(id) { return document.getElementById(id); }
  function later(pause) { return new Promise(function (resolve) { window.setTimeout(resolve, pause); }); }

  // Repeats a call until the server has spoken; what it says is the caller's to judge.
  function insist(method, path, retries) {
    var failures = retries || 0;
    return net.call(method, path).then(function (answer) {
      if (answer.status < 500 && answer.status !== 429) { return answer; }
      return again(answer.waitMs);
    }, function () { return again(0); });
    function again(wait) {
      failures += 1;
      panels.wait('正在连接服务器', '网络不通或服务器正忙，正在自动重试，请不要关闭页面。已经保存的答案不受影响。');
      return later(wait || exam.pauseAfter(failures)).then(function () { return insist(method, path, failures); });
    }
  }

  function rejectAnswer(answer) {
    panels.stop('现在不能作答', answer.body.message || '请回到考试说明页，按提示办理。');
    throw new Error('refused');
  }

  // Start, or wait for a place: no clock runs while waiting, and the place is kept.
  function start() {
    return insist('POST', '/exams/' + examId + '/attempts').then(function (answer) {
      if (answer.status === 201 || answer.status === 200) {
        window.history.replaceState(null, '', window.location.pathname);
        answer.body.isNew = answer.status === 201;
        return answer.body;
      }
      if (answer.status !== 202) { return rejectAnswer(answer); }
      var wait = answer.waitMs || 3000;
      panels.wait('正在排队进入考场', '您排在第 ' + answer.body.place + ' 位，预计等待 ' + exam.formatDuration((answer.body.wait_s || 1) * 1000) +
        '。位置已保留，考试时间还没有开始计算，轮到后自动进入。');
      return later(wait * (1 + Math.random() * 0.2)).then(start);
    });
  }

  function getAttempt(id) {
    return insist('GET', '/attempts/' + id).then(function (answer) { return answer.status === 200 ? answer.body : rejectAnswer(answer); });
  }

  function findAttempt() {
    if (data.attemptId) { return getAttempt(data.attemptId); }
    if (window.location.hash === '#start') { return start(); }
    var left = exam.storedStates(examId, person.id);
    if (left.length) { return getAttempt(left[left.length - 1].attempt); }
    window.location.replace(data.before);
    return new Promise(function () { return undefined; });
  }

  // What this browser still holds of earlier attempts goes out beside this one, and is forgotten where the server has answered for all of it.
  function sendLeftovers() {
    exam.storedStates(examId, person.id).forEach(function (one) {
      if (one.attempt === attempt.id) { return; }
      exam.openState(one.attempt, box).then(function (left) { return left && settleLate(left, null); }).then(function (outcome) {
        if (!outcome) { return; }
        if (!Object.keys(outcome.rejected).length) { exam.forgetState(one.attempt); }
        var text = exam.lateSummary(outcome);
        if (text) { bars.note('上一次作答：' + text); }
      }).catch(function () { return undefined; });
    });
  }

  // Sends what is unsent of a closed attempt to be set aside, and tells what of it the attempt does not hold.
  function settleLate(left, closed) {
    return exam.sendLate(net, left).then(function (outcome) {
      if (!outcome.quarantined.length && !outcome.lost.length) { return outcome; }
      return (closed ? Promise.resolve({ status: 200, body: closed }) : insist('GET', '/attempts/' + left.attempt)).then(function (answer) {
        if (answer.status !== 200) { return outcome; }
        outcome.quarantined = exam.missingFrom(answer.body, left, outcome.quarantined);
        outcome.lost = exam.missingFrom(answer.body, left, outcome.lost);
        return outcome;
      });
    });
  }

  function takeOver(left) {
    if (left) { queue.claim(left); }
    return insist('POST', '/attempts/' + attempt.id + '/epoch').then(function (answer) {
      if (answer.status === 409) { return getAttempt(attempt.id).then(function (closed) { return closeLate(closed, left); }); }
      if (answer.status !== 200) { return rejectAnswer(answer); }
      return getAttempt(attempt.id).then(function (fresh) {
        attempt = fresh;
        exam.forgetTakenOver(attempt.id);
        queue.begin(attempt, answer.body.epoch, left);
        return true;
      });
    });
  }

  // The device that holds a counter of the newest epoch goes on with it; else it takes the attempt over, unless another one did so before.
  function settleDevice(left) {
    if (attempt.isNew && !left) { queue.begin(attempt, attempt.epoch, null); return Promise.resolve(true); }
    var isOurs = left && left.epoch === attempt.epoch;
    var isClaimed = left && left.isClaiming && !attempt.answers.some(function (answer) { return answer.epoch > left.epoch; });
    if (exam.wasTakenOver(attempt.id) || (left && !isOurs && !isClaimed)) { return askTakeOver(left); }
    if (isOurs && left.owner === queue.owner && !left.isClaiming) { queue.begin(attempt, attempt.epoch, left); return Promise.resolve(true); }
    return takeOver(left);
  }

  function askTakeOver(left) {
    return new Promise(function (resolve, reject) {
      sayTakenOver('这场考试正在另一台设备或另一个窗口作答，此处不再保存。', Object.keys(exam.unsentOf(left)), function () {
        takeOver(left).then(resolve, reject);
      });
    });
  }

  function sayTakenOver(text, unsent, act) {
    panels.stop('已在另一设备继续', text + (unsent.length ? '本机' + exam.naming(unsent) + '尚未上传，改回本机作答时一并保存。' : '要换回这里作答，请点下面的按钮。'), {
      text: '改在这里继续作答',
      act: function () {
        panels.wait('正在打开试卷', '');
        act();
      }
    });
  }

  function closeLate(closed, left) {
    attempt = closed;
    return settleLate(left, closed).then(function (outcome) {
      finish(closed.receipt, outcome);
      return false;
    });
  }

  function finish(receipt, outcome) {
    if (sync) { sync.stop(); }
    if (queue) { queue.wipe(); }
    if (view) { view.lock(true); }
    bars.online();
    document.body.classList.add('is-over');
    byId('receipt-link').href = data.attempts + '/' + attempt.id + '/receipt';
    byId('result-link').href = data.attempts + '/' + attempt.id + '/result';
    panels.receipt(receipt, exam.lateSummary(outcome), Date.parse(receipt.submitted_at) < Date.parse(attempt.deadline_at));
  }

  // The page's own attempt is closed: what of its answers is in it, was set aside, or came after a hand-in elsewhere.
  function closed(receipt, late, rejected, body) {
    var left = queue.held();
    var outcome = { quarantined: late.map(Number), lost: [], rejected: rejected || {}, undecided: queue.asked().map(function (one) { return one.item; }) };
    if (body) {
      outcome.quarantined = exam.missingFrom(body, left, outcome.quarantined);
      if (!receipt.forced) { outcome.lost = exam.missingFrom(body, left, queue.pending()); }
    }
    finish(receipt, outcome);
  }

  function boot() {
    net.whenSignedOut(function () { return exam.askToSignIn(panels, net, person); });
    findAttempt().then(function (found) {
      attempt = found;
      clock.setDeadline(attempt.deadline_at);
      sendLeftovers();
      queue = exam.createQueue(attempt.id, examId, person.id, box);
      return queue.load();
    }).then(function (left) {
      if (attempt.state !== 'in_progress') {
        return closeLate(attempt, left);
      }
      return settleDevice(left);
    }).then(function (goesOn) {
      return goesOn ? getPaper().then(begin) : undefined;
    }).catch(stopOpening);
  }

  function stopOpening(error) {
    if (String(error.message) === 'refused') { return; }
    panels.stop('页面没有打开', '请刷新页面再试。已经保存的答案不受影响。');
    throw error;
  }

  function getPaper() {
    return insist('GET', '/attempts/' + attempt.id + '/paper').then(function (answer) {
      return answer.status === 200 ? answer.body : rejectAnswer(answer);
    });
  }

  function begin(found) {
    paper = found;
    sync = exam.createSync(attempt, queue, net, clock, {
      saved: function (instant) { bars.saved(instant); view.unsent([]); },
      waiting: function () { showWaiting(); },
      silent: function () { showOffline(); },
      back: function () { bars.online(); },
      rejected: function (change) {
        view.rejectAnswer(change.item, queue.answers()[change.item] || [], '这次作答未被接受：' + exam.reasonFor(change.reason) + '。请重新作答。');
        bars.note('第 ' + change.item + ' 题的作答未被接受：' + exam.reasonFor(change.reason) + '。请重新作答。');
      },
      notice: function (text) {
        if (text !== shownNotice) { shownNotice = text; bars.note('考务通知：' + text); }
      },
      recorded: function (events) {
        if (Number(data.focusLimit) && events.some(function (event) { return event.type === 'focus_loss'; })) { sync.now(); }
      },
      moved: function (by) {
        if (by > 0) { bars.note('考试时间已延长 ' + exam.formatDuration(by) + '。'); reopen(); }
      },
      closed: closed,
      takenOver: takenOver,
      gone: function (text) { panels.stop('不能继续作答', text); },
      handInFailed: function (text) { panels.stop('交卷没有成功', text, { text: '返回答题', act: panels.close }); }
    });
    view = exam.createView(paper, {
      answered: function (item, response, isText) { queue.change(item, response, isText); view.unsent(queue.pending()); sync.changed(isText); },
      marked: function (items) { queue.setUnsure(items); sync.marked(); },
      leaveSheet: function () { exam.closeSheet(); },
      moved: function (item) { exam.rememberItem(attempt.id, item); }
    });
    view.fill(queue.answers(), queue.unsure());
    view.unsent(queue.pending());
    queue.whenLost(function () { sync.stop(); takenOver(); });
    queue.whenBroken(function () {
      bars.note('本机不能暂存答案（可能是无痕模式或存储已满）。每次作答会立即上传，请保持网络畅通，不要关闭页面。');
    });
    if (!queue.keepsTexts() && hasTexts(paper)) { bars.note('本机浏览器不能加密暂存，填写的文字只在联网时保存，断网时请不要关闭页面。'); }
    exam.watchControls({ view: view, panels: panels, askHandIn: askHandIn, handIn: handIn, cancelHandIn: cancelHandIn });
    exam.keepShell(data.worker);
    exam.warnBeforeLoss(queue);
    exam.watchPresence(queue, sync, bars, clock, Number(data.focusLimit) || 0);
    if (!attempt.isNew) { queue.note('resume', new Date().toISOString(), null); }
    if (queue.pending().length) { showWaiting(); }
    panels.close();
    view.go(exam.lastItem(attempt.id) || (attempt.isNew ? 1 : view.blanks()[0]) || 1, true);
    exam.rememberItem(attempt.id, view.current());
    tick();
    window.setInterval(tick, 500);
    sync.start();
    reportBroughtBack();
  }

  function hasTexts(paper) {
    return paper.sections.some(function (section) {
      return section.items.some(function (item) { return exam.kinds[item.kind].isText; });
    });
  }

  function takenOver() {
    exam.rememberTakenOver(attempt.id);
    view.lock(true);
    bars.online();
    var unsent = Object.keys(exam.unsentOf(queue.held()));
    sayTakenOver('这场考试已在另一台设备或另一个窗口继续作答，此处不再保存。', unsent, function () {
      queue.leftHere().then(takeOver).then(function (goesOn) { if (goesOn) { goOn(); } }).catch(stopOpening);
    });
  }

  // The paper as it stands after this device took the attempt back, in the same page: nothing that only it holds is lost by a reload.
  function goOn() {
    clock.setDeadline(attempt.deadline_at);
    isTimeUp = false;
    view.fill(queue.answers(), queue.unsure());
    view.lock(false);
    view.unsent(queue.pending());
    panels.close();
    sync.resume();
    reportBroughtBack();
  }

  // Says what this device brought back, and asks where another device answered the same question differently.
  function reportBroughtBack() {
    var added = queue.added();
    if (added.length) { bars.note('本机' + exam.naming(added) + '的作答已补入试卷，正在上传。'); }
    if (!queue.asked().length) { return; }
    exam.askWhichAnswers(panels, paper, queue.asked(), function (decisions) {
      decisions.forEach(function (one) { queue.decide(one.item, one.isHere); });
      view.fill(queue.answers(), queue.unsure());
      view.unsent(queue.pending());
      sync.changed(false);
    });
  }

  function showWaiting() {
    var pending = queue.pending();
    bars.waiting(pending.length, sync.isFailing());
    view.unsent(pending);
    if (sync.isSilent()) { showOffline(); }
  }

  function showOffline() {
    var count = queue.pending().length;
    if (isTimeUp || queue.isStored()) { bars.offline(count, isTimeUp, sync.isServerBusy()); } else { bars.unkept(count); }
    if (isTimeUp) {
      panels.wait(exam.timeUpText(count), '网络恢复后自动' + (count ? '上传并' : '') + '交卷，请不要关闭页面。');
    } else if (sync.isHandingIn()) {
      var text = '网络不通，正在自动重试（第 ' + sync.failures() + ' 次）。答案在本机，网络恢复后自动交卷，请不要关闭页面。';
      panels.wait('正在交卷', text, { text: '取消交卷，继续答题', act: cancelHandIn });
    }
  }

  function askHandIn() {
    panels.askHandIn({ blanks: view.blanks(), unsure: view.unsure(), unsent: queue.pending(), count: view.count });
  }

  function handIn() {
    view.lock(true);
    panels.wait('正在交卷', '正在提交全部答案，请稍候。');
    sync.handIn();
  }

  function cancelHandIn() {
    sync.cancelHandIn();
    view.lock(isTimeUp);
    panels.close();
    if (!isTimeUp && queue.asked().length) { reportBroughtBack(); }
  }

  function reopen() {
    if (!isTimeUp || clock.remaining() <= 0) { return; }
    isTimeUp = false;
    cancelHandIn();
  }

  // At the deadline: nothing more is taken, what waits is sent, and the hand-in follows, spread over some seconds, once the server's answer has
  // shown that it still is the deadline: extra time that was granted meanwhile is not handed in.
  function timeUp() {
    isTimeUp = true;
    timeUpAt = clock.mono();
    handInAt = timeUpAt + Math.random() * Math.min(SPREAD_MS, Number(data.graceS) * 1000 / 3);
    view.lock(true);
    panels.wait('已到时间，正在交卷', '系统正在上传答案并交卷，请不要关闭页面。');
    if (sync.isSilent()) { showOffline(); }
    setAsideUndecided();
    sync.now();
  }

  // Where no choice was made in time, the other device's answer stands, and this device's is kept for an administrator.
  function setAsideUndecided() {
    if (!queue.asked().length) { return; }
    exam.sendLate(net, { attempt: attempt.id, epoch: queue.epoch(), pending: {}, asked: queue.held().asked }).catch(function () { return undefined; });
  }

  function tick() {
    if (sync.isOver()) { return; }
    var left = clock.remaining();
    sync.watch();
    byId('time').textContent = exam.countdown(left);
    document.body.classList.toggle('is-late', left < 300000);
    SPOKEN_MINUTES.forEach(function (minutes) {
      if (left <= minutes * 60000 && left > minutes * 60000 - 5000 && !spoken[minutes]) {
        spoken[minutes] = true;
        bars.say('还剩 ' + minutes + ' 分钟');
        bars.warn('考试还剩 ' + minutes + ' 分钟，到时间自动交卷。', minutes === 1);
        if (navigator.vibrate) { navigator.vibrate(300); }
      }
    });
    if (left <= 0 && !isTimeUp) { timeUp(); }
    if (isTimeUp && clock.mono() >= handInAt && sync.heardAt() > timeUpAt && !sync.isHandingIn()) { sync.handIn(); }
  }

  exam.watchSize();
  exam.watchLeadOn();
  exam.writeSetting('elder', document.documentElement.classList.contains('elder') ? '1' : '');
  boot();
}(window.ExamPage = window.ExamPage || {}));
