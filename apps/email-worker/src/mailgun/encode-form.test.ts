import { expect, test } from 'vitest'
import { type EncodedForm, encodeForm } from './encode-form.js'

/** As a server reads it. */
async function read({ contentType, body }: EncodedForm) {
  const form = await new Response(body, { headers: { 'content-type': contentType } }).formData()
  return [...form.entries()]
}

test('fields are read as they were given', async () => {
  const fields = { to: 'zoë@example.com', 'o:tracking': 'no', 'v:mono-message': '--x\r\ny; name="to"', empty: '' }
  expect(await read(encodeForm(fields))).toEqual(Object.entries(fields))
})

test('a file is read byte by byte, beside the fields', async () => {
  const content = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256))
  const file = { name: 'message', fileName: 'message.mime', contentType: 'message/rfc822', content }
  const [field, [name, received] = []] = await read(encodeForm({ to: 'ada@example.com' }, file))
  expect(field).toEqual(['to', 'ada@example.com'])
  expect(name).toBe('message')
  if (typeof received === 'string' || received === undefined) return expect.unreachable('it was not read as a file')
  expect([received.name, received.type]).toEqual(['message.mime', 'message/rfc822'])
  expect(Buffer.from(await received.arrayBuffer()).equals(content)).toBe(true)
})

test('a mail cannot know the boundary', () => {
  expect(encodeForm({}).contentType).not.toBe(encodeForm({}).contentType)
})
