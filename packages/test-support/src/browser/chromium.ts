import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Where Debian's package puts it. */
const executablePath = '/usr/bin/chromium'

/** Chromium as root has no sandbox; the rest keeps it from asking for anything but the page. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** True if Debian's package `chromium` is installed. */
export const hasChromium = () => existsSync(executablePath)

/** A real browser without a window, with an empty profile of its own. */
export async function launchChromium(): Promise<Browser> {
  return await chromium.launch({ executablePath, args, timeout: 60_000 })
}
