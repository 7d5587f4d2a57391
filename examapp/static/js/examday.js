// An exam-day board: fetch the figures anew every ten seconds, or as often as the board says, and say so when that does not work.
// Nothing is fetched while nobody sees the page.
(function () {
  'use strict';

  var board = document.getElementById('board');
  var text = document.getElementById('board-state');
  if (!board || !text) { return; }

  var everyS = Number(board.getAttribute('data-every-s')) || 10;
  var EVERY_MS = everyS * 1000;

  function later() { window.setTimeout(refresh, EVERY_MS); }

  function show(html) {
    text.textContent = '每 ' + everyS + ' 秒自动更新。';
    // A button or a link within the board that somebody is about to press stays where it is until the next round.
    var held = document.activeElement;
    if (board.contains(held) && held.tagName !== 'SUMMARY') { return; }
    var heldId = board.contains(held) ? held.id : '';
    var open = [].map.call(board.querySelectorAll('details[open]'), function (part) { return part.id; });
    board.innerHTML = html;
    open.forEach(function (id) { var part = id && document.getElementById(id); if (part) { part.open = true; } });
    var again = heldId && document.getElementById(heldId);
    if (again) { again.focus({ preventScroll: true }); }
  }

  function refresh() {
    if (document.hidden) { later(); return; }
    fetch(board.getAttribute('data-url'), { credentials: 'same-origin', cache: 'no-store', redirect: 'error' })
      .then(function (answer) {
        if (!answer.ok) { throw new Error(String(answer.status)); }
        return answer.text();
      })
      .then(show)
      .catch(function () { text.textContent = '暂时联系不上服务器，正在重试；下面是之前的情况。'; })
      .then(later);
  }

  later();
}());
