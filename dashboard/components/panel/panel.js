// Shows finished HTML; sends back which link or button was used, so that pages change without a reload.
const drawn = new WeakMap();

function focusMark(root) {
  const active = document.activeElement;
  if (!active || !root.contains(active)) return null;
  return active.getAttribute("data-select") ?? active.getAttribute("href");
}

function restoreFocus(root, mark) {
  if (mark === null) return;
  const target = [...root.querySelectorAll("a[href], button[data-select]")].find(
    (element) => (element.getAttribute("data-select") ?? element.getAttribute("href")) === mark,
  );
  target?.focus({ preventScroll: true });
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".nl-root");
  if (!root) return;
  const before = drawn.get(parentElement) ?? {};
  if (before.html !== data.html) {
    const mark = focusMark(root);
    root.innerHTML = data.html;
    restoreFocus(root, mark);
  }
  if (data.scroll_to && before.scroll_to === undefined) {
    document.getElementById(data.scroll_to)?.scrollIntoView({ block: "center" });
  }
  drawn.set(parentElement, { html: data.html, scroll_to: data.scroll_to });
  root.onclick = (event) => {
    const button = event.target.closest("button[data-select]");
    if (button) {
      setTriggerValue("chosen", button.getAttribute("data-select"));
      return;
    }
    // one with a target leads out of the dashboard, and is the browser's to open
    const link = event.target.closest("a[href]");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (link && plain && !link.target) {
      event.preventDefault();
      setTriggerValue("opened", link.getAttribute("href"));
    }
  };
}
