export interface PageEvents {
  /** The network is back, or the page is looked at again. */
  onAwake(): void
  /** The computer has no network. */
  onOffline(): void
}

/** Listens to the browser until the signal aborts. */
export function watchPage({ onAwake, onOffline }: PageEvents, signal: AbortSignal): void {
  globalThis.addEventListener?.('online', onAwake, { signal })
  globalThis.addEventListener?.('offline', onOffline, { signal })
  const onVisibility = () => {
    if (document.visibilityState === 'visible') onAwake()
  }
  globalThis.document?.addEventListener('visibilitychange', onVisibility, { signal })
}
