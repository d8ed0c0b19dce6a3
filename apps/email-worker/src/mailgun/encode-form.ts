import { randomBytes } from 'node:crypto'

export interface EncodedForm {
  /** The value of the request's header. */
  contentType: string
  body: Buffer
}

/** A part that is a file. */
export interface FilePart {
  name: string
  fileName: string
  contentType: string
  content: Buffer
}

/**
 * A form as `multipart/form-data` (RFC 7578). Node's own `FormData` takes about twenty times as long for a mail.
 *
 * @param fields by their names, which are written as they are: plain letters
 */
export function encodeForm(fields: Readonly<Record<string, string>>, file?: FilePart): EncodedForm {
  const boundary = randomBytes(24).toString('hex')
  const parts = Object.entries(fields).map(([name, value]) => `${headOf(boundary, name)}\r\n\r\n${value}\r\n`)
  const encodedFields = Buffer.from(parts.join(''))
  const end = Buffer.from(`--${boundary}--\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([encodedFields, ...(file ? encodeFile(boundary, file) : []), end]),
  }
}

function encodeFile(boundary: string, { name, fileName, contentType, content }: FilePart): Buffer[] {
  const head = `${headOf(boundary, name)}; filename="${fileName}"\r\ncontent-type: ${contentType}\r\n\r\n`
  return [Buffer.from(head), content, Buffer.from('\r\n')]
}

function headOf(boundary: string, name: string): string {
  return `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`
}
