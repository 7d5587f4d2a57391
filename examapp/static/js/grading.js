// The receipt's print button, and the result page that waits for its grade.
(function () {
  'use strict';

  var print = document.getElementById('print');
  if (print) { print.addEventListener('click', function () { window.print(); }); }

  // The receipt as a picture, to be kept by a long press where a browser neither prints nor saves (WeChat).
  var button = document.getElementById('picture');
  if (button) { button.addEventListener('click', function () { showPicture(document.querySelector('.facts')); }); }

  function showPicture(facts) {
    var lines = [document.querySelector('h1').textContent];
    Array.prototype.forEach.call(facts.children, function (row) {
      lines.push(row.querySelector('dt').textContent + '：' + row.querySelector('dd').textContent.trim().replace(/\s+/g, ' '));
    });
    var canvas = document.createElement('canvas');
    var pen = canvas.getContext('2d');
    var font = '30px "PingFang SC", "Microsoft YaHei", "Noto Sans SC", sans-serif';
    pen.font = font;
    var rows = lines.reduce(function (all, line) { return all.concat(broken(pen, line, 660)); }, []);
    canvas.width = 750;
    canvas.height = 80 + rows.length * 52;
    pen.fillStyle = '#ffffff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = '#1f2933';
    pen.font = font;
    rows.forEach(function (row, number) { pen.fillText(row, 45, 75 + number * 52); });
    var image = document.createElement('img');
    image.src = canvas.toDataURL('image/png');
    image.alt = lines.join('；');
    image.className = 'receipt-picture';
    var text = document.createElement('p');
    text.textContent = '长按图片，选“保存图片”；电脑上点右键，选“图片另存为”。';
    var target = document.getElementById('picture-place');
    target.textContent = '';
    target.appendChild(text);
    target.appendChild(image);
    target.scrollIntoView();
  }

  function broken(pen, line, width) {
    var rows = [''];
    line.split('').forEach(function (sign) {
      if (pen.measureText(rows[rows.length - 1] + sign).width > width) { rows.push(''); }
      rows[rows.length - 1] += sign;
    });
    return rows;
  }

  var panel = document.getElementById('grading');
  if (!panel) { return; }
  var text = document.getElementById('grading-text');
  var pause = 1500;

  function again() {
    pause = Math.min(pause * 1.3, 15000);
    window.setTimeout(ask, pause * (0.8 + Math.random() * 0.4));
  }

  function ask() {
    window.fetch(panel.getAttribute('data-poll'), { credentials: 'same-origin', cache: 'no-store' }).then(function (answer) {
      if (answer.status === 200 || answer.status === 401) { window.location.reload(); return; }
      if (answer.status === 202 && pause > 8000) { text.textContent = '评分的人较多，仍在排队。可以离开本页，稍后再来查看，成绩不会丢失。'; }
      again();
    }, function () {
      text.textContent = '暂时联系不上服务器，正在自动重试。答卷已收到，不受影响。';
      again();
    });
  }

  window.setTimeout(ask, pause);
}());
