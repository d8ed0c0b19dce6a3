import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Snippet {
  /** For the title of a test: the page, the line of the fence and the heading above it. */
  title: string
  /** A name for its file, without an ending. */
  name: string
  /**
   * The page with every line blank that belongs neither to the snippet nor to the page's prelude, so that an error has
   * the line number of the page. It runs as a forked process.
   */
  program: string
  /** It ends by SIGTERM; any other by a message. */
  endsBySignal: boolean
  /** The queues that it consumes. */
  consumes: string[]
}

/** What the page says that an example ends with, when the test has sent a message. It keeps the process running until then. */
const epilogue = "process.once('message', () => void messageQueue.drain())"
/** Tells the test that the snippet has come to its end. */
const report = "process.send?.('done')"

/**
 * The blocks of a page that are fenced as `ts`. One that is fenced as `ts prelude` is no snippet: each of them begins
 * with it. Neither is one whose fence names its file: see `readFiles`.
 *
 * @throws Error if a fence says anything else after `ts`
 */
export function readSnippets(page: string): Snippet[] {
  const lines = readLines(page)
  const blocks = findBlocks(lines, page)
  const preludes = blocks.filter(({ role }) => role === 'prelude')
  return blocks
    .filter(({ role }) => role === 'snippet')
    .map((block) => {
      const text = lines.slice(block.first, block.end).join('\n')
      const endsBySignal = text.includes('SIGTERM')
      const shown = [...preludes, block]
      const kept = lines.map((line, index) =>
        shown.some(({ first, end }) => index >= first && index < end) ? line : '',
      )
      return {
        title: `${page}:${block.first}, ${block.heading}`,
        name: `${page.replaceAll(/\W+/g, '-')}-${block.first}`,
        program: [...kept, endsBySignal ? '' : epilogue, report, ''].join('\n'),
        endsBySignal,
        consumes: [...text.matchAll(/consume(?:Messages|Batches)\(\s*'([^']+)'/g)].map(([, queue]) => queue as string),
      }
    })
}

/** The blocks of a page whose fence names a file of an application, such as `ts src/services/mail.ts`. */
export function readFiles(page: string): { path: string; text: string }[] {
  const lines = readLines(page)
  return findBlocks(lines, page)
    .filter(({ role }) => role.endsWith('.ts'))
    .map(({ role, first, end }) => ({ path: role, text: `${lines.slice(first, end).join('\n')}\n` }))
}

function readLines(page: string): string[] {
  const path = fileURLToPath(new URL(`../../../../${page}`, import.meta.url))
  return readFileSync(path, 'utf8').split('\n')
}

interface Block {
  heading: string
  /** `snippet`, `prelude`, or the path of a file. */
  role: string
  /** The index of its first line, which is the number of the line with the fence. */
  first: number
  end: number
}

function findBlocks(lines: readonly string[], page: string): Block[] {
  const blocks: Block[] = []
  let heading = ''
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    if (/^#+ /.test(line)) heading = line.replace(/^#+ /, '')
    const [, language, info = ''] = /^```(\w*)(.*)$/.exec(line) ?? []
    if (language === undefined) continue
    const end = lines.indexOf('```', index + 1)
    if (end < 0) throw new Error(`${page}:${index + 1}: expected the end of the block, found none`)
    if (language === 'ts') blocks.push({ heading, role: readRole(info, `${page}:${index + 1}`), first: index + 1, end })
    index = end
  }
  return blocks
}

function readRole(info: string, where: string): string {
  const role = info === '' ? 'snippet' : info.trim()
  if (/^(snippet|prelude|[\w./-]+\.ts)$/.test(role)) return role
  throw new Error(`${where}: expected \`ts\`, \`ts prelude\` or \`ts\` and the path of a file, found \`ts${info}\``)
}
