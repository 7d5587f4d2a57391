// Says in words where a browser lacks what the pages need. Written so that browsers of 2009 understand it; what comes after it looks for `is-old-browser`.
(function () {
  'use strict';

  var root = document.documentElement;
  var words = document.getElementById('old-browser');
  if (window.fetch && window.AbortController && window.Promise && window.URLSearchParams && root.classList && root.dataset) { return; }
  root.className += ' is-old-browser';
  if (words) { words.removeAttribute('hidden'); words.style.display = 'block'; }
}());
