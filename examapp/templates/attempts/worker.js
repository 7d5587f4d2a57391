// Shows the shell where a page is opened or reloaded without network. It keeps the shell alone: no answer, no name, no question.
'use strict';

var NAME = 'exam-shell-{{ version }}';
var SHELL = {{ shell | tojson }};
var FILES = [SHELL].concat({{ files | tojson }});
var PATIENCE_MS = 12000;

self.addEventListener('install', function (event) {
  event.waitUntil(caches.open(NAME).then(function (cache) { return cache.addAll(FILES); }).then(function () { return self.skipWaiting(); }));
});

self.addEventListener('activate', function (event) {
  event.waitUntil(caches.keys().then(function (names) {
    return Promise.all(names.map(function (name) {
      return name.indexOf('exam-shell-') === 0 && name !== NAME ? caches.delete(name) : undefined;
    }));
  }).then(function () { return self.clients.claim(); }));
});

function shell() { return caches.match(SHELL); }

// A form that was sent without network leads to the shell at its own address, which opens the page again, not the form's sending.
function orShell(request, error) {
  return shell().then(function (found) {
    if (!found) { throw error; }
    return request.method === 'GET' ? found : Response.redirect(request.url, 303);
  });
}

self.addEventListener('fetch', function (event) {
  var url = new URL(event.request.url);
  var isFile = /multipart/.test(event.request.headers.get('Content-Type') || '');
  var isPage = event.request.mode === 'navigate' && url.origin === self.location.origin && !isFile;
  if (isPage && /^\/exams\/\d+\/sit$/.test(url.pathname)) {
    event.respondWith(new Promise(function (resolve, reject) {
      var timer = setTimeout(function () { shell().then(function (found) { if (found) { resolve(found); } }); }, PATIENCE_MS);
      fetch(event.request).then(function (answer) { clearTimeout(timer); resolve(answer); }, function (error) {
        clearTimeout(timer);
        shell().then(function (found) { if (found) { resolve(found); } else { reject(error); } });
      });
    }));
  } else if (isPage) {
    event.respondWith(fetch(event.request).catch(function (error) { return orShell(event.request, error); }));
  } else if (event.request.method === 'GET' && FILES.indexOf(url.pathname) > 0) {
    event.respondWith(caches.match(url.pathname).then(function (found) { return found || fetch(event.request); }));
  }
});
