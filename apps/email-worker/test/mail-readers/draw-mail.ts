import { mkdirSync, writeFileSync } from 'node:fs'
import type { MailReaders } from './find-mail-readers.js'

/** One mail as a reader of some width shows it. */
export interface Look {
  width: number
  /** The reader ignores `white-space`, as Outlook does. */
  ignoresWhiteSpace: boolean
  /** How wide the mail is: more than `width` if something sticks out. */
  contentWidth: number
  /** The wide parts that stick out of what they are in. */
  overflowing: string[]
  /** The text, line by line as it is drawn. */
  lines: string[]
}

const widths = [360, 600]
const pictures = new URL('../../test-results/looks/', import.meta.url)

/** Draws a mail in Chromium in all ways side by side, and keeps the picture in `test-results/looks`. */
export async function drawMail(readers: MailReaders, name: string, html: string): Promise<Look[]> {
  const page = createPage(html)
  const options = '--headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=2000,900'
  const open = `cat > /tmp/page.html; chromium ${options}`
  const drawn = await readers.run(
    `${open} --screenshot=/tmp/page.png file:///tmp/page.html >&2; cat /tmp/page.png`,
    page,
  )
  mkdirSync(pictures, { recursive: true })
  writeFileSync(new URL(`${name}.png`, pictures), drawn)
  const dom = (
    await readers.run(`${open} --virtual-time-budget=2000 --dump-dom file:///tmp/page.html`, page)
  ).toString()
  const [, encoded] = /<title>([^<]*)<\/title>/.exec(dom) ?? []
  if (!encoded) throw new Error(`Expected measures in the title of the page, found ${dom.slice(0, 200)}`)
  return JSON.parse(Buffer.from(encoded, 'base64').toString())
}

/** Frames, because a window is never narrower than 500 pixels. */
function createPage(html: string): string {
  const ways = widths.flatMap((width) => [false, true].map((ignoresWhiteSpace) => ({ width, ignoresWhiteSpace })))
  const frames = ways.map(({ width, ignoresWhiteSpace }) => {
    const shown = ignoresWhiteSpace ? html.replaceAll(/white-space:[^;"]*;?/g, '') : html
    return `<iframe width="${width}" height="880" style="border: 0" srcdoc="${toAttribute(shown)}"></iframe>`
  })
  return `<!doctype html><html><head><meta charset="utf-8"><title></title></head><body>${frames.join('')}
    <script>const ways = ${JSON.stringify(ways)}; const measure = ${measure}; addEventListener('load', () => {
      const looks = [...document.querySelectorAll('iframe')].map((frame, index) => ({ ...ways[index], ...measure(frame) }))
      document.title = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(looks))))
    })</script></body></html>`
}

const toAttribute = (html: string) => html.replaceAll('&', '&amp;').replaceAll('"', '&quot;')

/** Runs in the browser. */
const measure = `(frame) => {
  const { body, documentElement } = frame.contentDocument
  const walker = frame.contentDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT)
  const lines = []
  let bottom = -1
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let index = 0; index < node.length; index += 1) {
      const range = frame.contentDocument.createRange()
      range.setStart(node, index)
      range.setEnd(node, index + 1)
      const [box] = range.getClientRects()
      if (!box || box.width === 0) continue
      if (box.top >= bottom) { lines.push(''); bottom = box.top + box.height / 2 }
      lines[lines.length - 1] += node.data[index]
    }
  }
  const sticksOut = (element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0
  const overflowing = [...body.querySelectorAll('td, p, h1, a')].filter(sticksOut).map((element) => element.outerHTML.slice(0, 60))
  return { contentWidth: documentElement.scrollWidth, overflowing, lines: lines.map((line) => line.trim()) }
}`
