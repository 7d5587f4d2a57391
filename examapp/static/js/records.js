/* The room's page: takes the new code as soon as the minute turns, and how many have put themselves down. */
(function () {
  'use strict';
  var room = document.querySelector('[data-room]');
  if (!room) { return; }
  var code = room.querySelector('.room-code');
  var present = room.querySelector('.room-present');
  function ask() {
    fetch(room.getAttribute('data-room'), { credentials: 'same-origin', cache: 'no-store' })
      .then(function (answer) {
        if (answer.status === 404) { window.location.reload(); return null; }
        return answer.json();
      })
      .then(function (state) {
        if (!state) { return; }
        if (code.textContent !== state.code) {
          code.textContent = state.code;
          room.querySelector('.room-picture').src = state.picture;
        }
        present.textContent = state.present;
        window.setTimeout(ask, Math.min(state.seconds * 1000 + 300, 5000));
      })
      .catch(function () { window.setTimeout(ask, 3000); });
  }
  window.setTimeout(ask, 2000);
}());
