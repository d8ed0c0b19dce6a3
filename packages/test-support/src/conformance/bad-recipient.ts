import { readWorkspaceFile } from '../workspace.js'

export interface DocumentedRecipient {
  recipient: string
  /** In the ledger; undefined if nothing is recorded. */
  code: string | undefined
  /** What becomes of the recipient. */
  result: string
}

/** The rows of the table "Bad recipients" of docs/failures.md for one kind of messages. */
export async function readDocumentedRecipients(message: 'push' | 'mail'): Promise<DocumentedRecipient[]> {
  const page = await readWorkspaceFile('docs/failures.md')
  const section = /^## Bad recipients\n([\s\S]*?)^## /m.exec(page)?.[1] ?? ''
  const rows = [...section.matchAll(/^\| (\w+) \| (.+?) \| (?:`(\w+)`|none) \| (.+?) \|$/gm)]
  return rows
    .filter(([, kind]) => kind === message)
    .map(([, , recipient = '', code, result = '']) => ({ recipient, code, result }))
}
