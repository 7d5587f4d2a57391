// The receipt's print button, and the result page that waits for its grade.
(function () {
  'use strict';

  var print = document.getElementById('print');
  if (print) { print.addEventListener('click', function () { window.print(); }); }

  var place = document.getElementById('grading');
  if (!place) { return; }
  var words = document.getElementById('grading-text');
  var pause = 1500;

  function again() {
    pause = Math.min(pause * 1.3, 15000);
    window.setTimeout(ask, pause * (0.8 + Math.random() * 0.4));
  }

  function ask() {
    window.fetch(place.getAttribute('data-poll'), { credentials: 'same-origin', cache: 'no-store' }).then(function (answer) {
      if (answer.status === 200 || answer.status === 401) { window.location.reload(); return; }
      if (answer.status === 202 && pause > 8000) { words.textContent = '评分的人较多，仍在排队。可以离开本页，稍后再来查看，成绩不会丢失。'; }
      again();
    }, function () {
      words.textContent = '暂时联系不上服务器，正在自动重试。答卷已收到，不受影响。';
      again();
    });
  }

  window.setTimeout(ask, pause);
}());
