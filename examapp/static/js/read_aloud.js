// In elder mode the browser reads a question or a chapter aloud, where it can: a press begins, the next one ends.
(function () {
  'use strict';

  var speech = window.speechSynthesis;
  if (!speech || !window.SpeechSynthesisUtterance || !document.documentElement.classList.contains('elder')) { return; }

  function showButtons() {
    Array.prototype.forEach.call(document.querySelectorAll('[data-read-aloud]'), function (button) { button.hidden = false; });
  }

  // One sentence an utterance: some browsers fall silent in the middle of a long one.
  function sentencesOf(selector) {
    var texts = Array.prototype.map.call(document.querySelectorAll(selector), function (part) { return part.textContent.replace(/\s+/g, ' '); });
    return texts.join('。').split(/[。！？；]+/).filter(function (sentence) { return sentence.trim(); });
  }

  document.addEventListener('click', function (event) {
    var button = event.target.closest('[data-read-aloud]');
    if (!button) { return; }
    var isReading = speech.speaking;
    speech.cancel();
    if (isReading) { return; }
    sentencesOf(button.getAttribute('data-read-aloud')).forEach(function (sentence) {
      var text = new window.SpeechSynthesisUtterance(sentence);
      text.lang = 'zh-CN';
      text.rate = 0.9;
      speech.speak(text);
    });
  });

  // Another question in the page's place, and another page, are not read over.
  document.addEventListener('quiz', function () { speech.cancel(); showButtons(); });
  window.addEventListener('pagehide', function () { speech.cancel(); });
  showButtons();
}());
