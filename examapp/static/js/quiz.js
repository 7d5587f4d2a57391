// Practice as a quiz: a question is answered, solved and followed by the next one on the same page; ten make a round with its sum. Without network the
// answer waits on the page and is sent again: the first one stands, so that a repeated one changes nothing.
(function () {
  'use strict';

  var ROUND = 10;
  var KEY = 'practice-round';
  if (!window.fetch || !window.DOMParser || !window.FormData || !window.URLSearchParams) { return; }

  var isSending = false;
  var isBook = Boolean(document.querySelector('[data-card], [data-quiz="next"] [name="law"]')); // the mistake book keeps its address
  var round = read();

  function read() {
    try { return JSON.parse(window.sessionStorage.getItem(KEY)) || { done: 0, right: 0 }; } catch (error) { return { done: 0, right: 0 }; }
  }

  function keep() {
    try { window.sessionStorage.setItem(KEY, JSON.stringify(round)); } catch (error) { return; }
  }

  document.addEventListener('submit', function (event) {
    if (!event.target.hasAttribute('data-quiz')) { return; }
    event.preventDefault();
    if (!isSending) { send(event.target, 1); }
  });

  function send(form, retries) {
    var isAnswer = form.getAttribute('data-quiz') === 'answer';
    var card = form.closest('[data-card]');
    isSending = true;
    window.fetch(form.action, { method: 'POST', credentials: 'same-origin', body: new URLSearchParams(new FormData(form)) }).then(function (answer) {
      if (answer.status >= 500 || answer.status === 429) { throw new Error('busy'); }
      return answer.text().then(function (html) {
        isSending = false;
        if (!card || !showHere(card, html, answer)) { show(html, answer, isAnswer); }
      });
    }).catch(function () {
      say(form, '网络中断或服务器正忙，' + (isAnswer ? '您的选择还在本页，' : '') + '恢复后自动继续，请不要关闭页面（第 ' + retries + ' 次重试）。');
      window.setTimeout(function () { send(form, retries + 1); }, Math.min(2000 * retries, 10000));
    });
  }

  function say(form, text) {
    var note = form.querySelector('[data-quiz-state]');
    note.hidden = false;
    note.textContent = text;
  }

  // A question of the mistake book is asked and solved in its place among the others; what is no question is shown as a page.
  function showHere(card, html, answer) {
    var question = new DOMParser().parseFromString(html, 'text/html').querySelector('main article.practice:not(.mistake)');
    if (!question || question.querySelector('script') || !/^\/practice\/items\//.test(new URL(answer.url).pathname)) { return false; }
    var next = question.querySelector('[data-quiz="next"]');
    if (next) { next.parentNode.removeChild(next); }
    var head = question.querySelector('h1');
    if (head) { head.parentNode.removeChild(head); }
    card.textContent = '';
    while (question.firstChild) { card.appendChild(question.firstChild); }
    card.tabIndex = -1;
    card.focus({ preventScroll: true });
    return true;
  }

  function show(html, answer, isAnswer) {
    var page = new DOMParser().parseFromString(html, 'text/html');
    var main = page.querySelector('main');
    var label = main && main.querySelector('[data-quiz-place]');
    if (isAnswer && label && label.hasAttribute('data-right')) {
      round.done += 1;
      round.right += Number(label.getAttribute('data-right'));
      keep();
    }
    // The sign-in, and a field that brings a script of its own, are opened as pages.
    if (/^\/login/.test(new URL(answer.url).pathname)) { window.location.assign('/login?next=' + window.location.pathname); return; }
    if (!main || main.querySelector('script')) { window.location.assign(answer.url); return; }
    var size = document.querySelector('[data-type-size]');
    var fresh = main.querySelector('[data-type-size]');
    if (size && fresh) { fresh.parentNode.replaceChild(size, fresh); }
    document.querySelector('main').replaceWith(main);
    document.title = page.title;
    if (!isBook) { window.history.replaceState(null, '', answer.url); }
    document.dispatchEvent(new Event('quiz'));
    showRemaining();
    window.scrollTo(0, 0);
    var head = main.querySelector('h1');
    if (head) { head.tabIndex = -1; head.focus({ preventScroll: true }); }
  }

  // Which question of the round this is; after the last one the sum, and a new round with the next question.
  function showRemaining() {
    var label = document.querySelector('[data-quiz-place]');
    if (!label) { return; }
    var isSolved = label.hasAttribute('data-right');
    if (!isSolved && round.done >= ROUND) { round = { done: 0, right: 0 }; }
    keep();
    label.hidden = false;
    if (isSolved && round.done >= ROUND) {
      label.textContent = '本轮 ' + ROUND + ' 题已练完，答对 ' + round.right + ' 题。';
      document.querySelector('[data-quiz="next"] button').textContent = '再来 ' + ROUND + ' 题';
      return;
    }
    var number = isSolved ? Math.max(round.done, 1) : round.done + 1;
    label.textContent = '第 ' + number + ' / ' + ROUND + ' 题　答对 ' + round.right + ' 题';
  }

  showRemaining();
}());
