// The exam-day board: fetch the figures anew every ten seconds, and say so when that does not work.
(function () {
  'use strict';

  var EVERY_MS = 10000;
  var board = document.getElementById('board');
  var text = document.getElementById('board-state');
  if (!board || !text) { return; }

  function again() { window.setTimeout(refresh, EVERY_MS); }

  function show(html) {
    // A button within the board that somebody is about to press stays where it is until the next round.
    if (!board.contains(document.activeElement)) { board.innerHTML = html; }
    text.textContent = '每 10 秒自动更新。';
  }

  function refresh() {
    fetch(board.getAttribute('data-url'), { credentials: 'same-origin', cache: 'no-store', redirect: 'error' })
      .then(function (answer) {
        if (!answer.ok) { throw new Error(String(answer.status)); }
        return answer.text();
      })
      .then(show)
      .catch(function () { text.textContent = '暂时联系不上服务器，正在重试；下面是之前的数字。'; })
      .then(again);
  }

  again();
}());
