// While more people sign in than passwords can be checked, the page waits its turn and tries again by itself. What was typed stays after a rejection.
(function () {
  'use strict';
  var SILENCE_S = 5;
  if (!window.fetch || !window.URLSearchParams || !window.FormData || !window.DOMParser) { return; }

  document.addEventListener('submit', function (event) {
    if (!event.target.matches('form[data-waits]')) { return; }
    event.preventDefault();
    send(event.target);
  });

  function send(form) {
    var waitText = form.querySelector('.wait-text');
    var button = form.querySelector('button[type="submit"]');
    var options = {
      method: 'POST', credentials: 'same-origin', headers: { Accept: 'application/json' },
      body: new URLSearchParams(new FormData(form))
    };
    fetch(form.action, options).then(read, away);

    function read(reply) {
      if (reply.status === 503) {
        wait(Number(reply.headers.get('Retry-After')) || SILENCE_S, '登录的人较多，正在为您排队。');
      } else if (reply.status === 429) {
        return reply.text().then(function (html) { showOrWait(html, Number(reply.headers.get('Retry-After')) || SILENCE_S); });
      } else if (reply.status >= 500) {
        away();
      } else if ((reply.headers.get('Content-Type') || '').indexOf('application/json') === 0) {
        return reply.json().then(function (led) { window.location.assign(led.to); });
      } else {
        return reply.text().then(show);
      }
    }

    // The application's rejection has the form again; a proxy's has not, and passes.
    function showOrWait(html, seconds) {
      if (html.indexOf('data-waits') >= 0) { show(html); } else { wait(seconds, '登录的人较多，正在为您排队。'); }
    }

    function away() { wait(SILENCE_S, '暂时联系不上服务器。'); }

    function wait(seconds, why) {
      var left = seconds;
      waitText.hidden = false;
      tick();
      function tick() {
        button.disabled = true;
        waitText.textContent = why + (left > 0 ? '约 ' + left + ' 秒后自动再试' : '正在再试') + '，请不要关闭页面。';
        if (left <= 0) { send(form); return; }
        left -= 1;
        window.setTimeout(tick, 1000);
      }
    }
  }

  // A rejection is the same page with its words; whoever reads by ear is led to them.
  function show(html) {
    var page = new DOMParser().parseFromString(html, 'text/html').querySelector('main');
    var typed = document.querySelectorAll('form[data-waits] input:not([type="hidden"]):not([name="captcha"])');
    Array.prototype.forEach.call(typed, function (input) {
      var fresh = page.querySelector('form[data-waits] input[name="' + input.name + '"]');
      if (fresh) { fresh.value = input.value; }
    });
    document.querySelector('main').replaceWith(page);
    document.dispatchEvent(new Event('passwords'));
    var first = page.querySelector('[role="alert"]:not([hidden]), [aria-invalid="true"]');
    if (first) { first.focus(); }
  }
}());
