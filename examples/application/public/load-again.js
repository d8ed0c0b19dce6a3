// @ts-check

const loadAgainMs = 2_000

// Browsers give up a request when their network changes. A page that lacks a module or a style because of that has nothing
// else that could mend it.
window.addEventListener(
  'error',
  ({ target }) => {
    const isPart = target instanceof HTMLScriptElement || target instanceof HTMLLinkElement
    if (isPart) setTimeout(() => location.reload(), loadAgainMs)
  },
  true,
)
