// Runs in the page before its own scripts: what the tests ask about afterwards.

/** Scripts, styles and addresses that the page's policy has refused. */
globalThis.violations = []
document.addEventListener('securitypolicyviolation', (event) => {
  globalThis.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`)
})

/** Milliseconds since 1970, with fractions. */
const now = () => performance.timeOrigin + performance.now()

/** When Enter was pressed in a text field, by the field's text. */
globalThis.typedAt = {}
document.addEventListener(
  'keydown',
  ({ key, target }) => {
    if (key === 'Enter' && 'value' in target) globalThis.typedAt[target.value] ??= now()
  },
  true,
)

/** The states that the page has told of the conversation, in order. */
globalThis.statesShown = []

/** The words `typed-…` that have come into the page's lists: when each was first there. */
globalThis.seenAt = {}
new MutationObserver((records) => {
  for (const { addedNodes } of records) {
    for (const node of addedNodes) {
      if (node.parentElement?.role === 'status') globalThis.statesShown.push(node.textContent)
      for (const [word] of (node.textContent ?? '').matchAll(/typed-\d+/g)) {
        if (node.parentElement?.closest('li, ol, ul')) globalThis.seenAt[word] ??= now()
      }
    }
  }
}).observe(document, { childList: true, subtree: true })
