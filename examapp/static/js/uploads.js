/* A file input that sends its file in pieces and goes on after a break. Without this script the form sends the file at once.
   <form data-upload="…/files" data-csrf> <input type="file"> <progress> <p role="status"> */
(function () {
  'use strict';
  var WAIT_MS = [1000, 3000, 8000, 20000, 30000];

  function ask(method, url, token, body, done) {
    var request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader('X-CSRFToken', token);
    request.onload = function () {
      var answer = {};
      try { answer = JSON.parse(request.responseText); } catch (error) { answer = {}; }
      done(request.status, answer);
    };
    request.onerror = function () { done(0, {}); };
    request.send(body);
  }

  function watch(form) {
    var input = form.querySelector('input[type="file"]');
    var bar = form.querySelector('progress');
    var note = form.querySelector('[role="status"]');
    var csrf = form.querySelector('input[name="csrf_token"]').value;
    var base = form.getAttribute('data-upload');

    function say(text) { note.textContent = text; }

    function again(retries, act) {
      if (retries >= 60) { say('网络一直不通。稍后重新选择同一个文件，会从断开的地方继续。'); return; }
      say('网络中断，稍后自动继续……');
      window.setTimeout(act, WAIT_MS[Math.min(retries, WAIT_MS.length - 1)]);
    }

    function finish(token, retries) {
      say('正在检查文件……');
      ask('POST', base + '/' + token + '/finish', csrf, null, function (status, answer) {
        if (status === 200) { window.location.reload(); return; }
        if (status === 0 || status >= 500) { again(retries, function () { finish(token, retries + 1); }); return; }
        say(answer.message || '上传没有成功，请刷新页面后重试。');
      });
    }

    function send(file, token, offset, piece, retries) {
      if (offset >= file.size) { finish(token, 0); return; }
      bar.hidden = false;
      bar.max = file.size;
      bar.value = offset;
      say('已上传 ' + Math.floor(100 * offset / file.size) + '%');
      ask('PUT', base + '/' + token + '?offset=' + offset, csrf, file.slice(offset, offset + piece), function (status, answer) {
        if (status === 200 || (status === 409 && typeof answer.received === 'number')) { send(file, token, answer.received, piece, 0); return; }
        if (status === 0 || status >= 500) { again(retries, function () { send(file, token, offset, piece, retries + 1); }); return; }
        say(answer.message || '上传没有成功，请刷新页面后重试。');
      });
    }

    function begin(file, retries) {
      var address = base + '/begin?name=' + encodeURIComponent(file.name) + '&size=' + file.size;
      ask('POST', address, csrf, null, function (status, answer) {
        if (status === 200) { send(file, answer.token, answer.received, answer.piece, 0); return; }
        if (status === 0 || status >= 500) { again(retries, function () { begin(file, retries + 1); }); return; }
        say(answer.message || '上传没有成功，请刷新页面后重试。');
      });
    }

    form.addEventListener('submit', function (event) {
      event.preventDefault();
      if (!input.files.length) { say('请先选择文件。'); return; }
      begin(input.files[0], 0);
    });
  }

  Array.prototype.forEach.call(document.querySelectorAll('form[data-upload]'), watch);
}());
