import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { examples } from '@mono/contracts'
import { PermanentError, RetryableError } from '@mono/message-queue'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { TemplateError } from './template-error.js'
import { loadTemplates } from './template-store.js'

const builtIn = fileURLToPath(new URL('../../templates', import.meta.url))

/** A copy of the built-in templates with some files written over; null leaves a file out. */
function createTemplates(files: Record<string, string | null> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'templates-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  cpSync(builtIn, directory, { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(directory, file, '..'), { recursive: true })
    if (content === null) rmSync(join(directory, file))
    else writeFileSync(join(directory, file), content)
  }
  return directory
}

function findFaults(files: Record<string, string | null>) {
  try {
    loadTemplates(createTemplates(files))
  } catch (error) {
    if (error instanceof TemplateError) return error.faults
    throw error
  }
  return []
}

/** A template whose data must fit. */
const card = {
  'card/subject.liquid': '{{ title }}',
  'card/html.liquid': '{{ body }}{% if link %}<a href="{{ link }}">{{ title }}</a>{% endif %}',
  'card/text.liquid': '{{ body }}',
  'card/schema.json': JSON.stringify({
    type: 'object',
    additionalProperties: false,
    required: ['title', 'body'],
    properties: {
      title: { type: 'string' },
      body: { type: 'string' },
      link: { type: 'string', format: 'uri', pattern: '^https://' },
      lines: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string' }, note: { type: 'string' } },
        },
      },
    },
    examples: [{ title: 't', body: 'b' }],
  }),
}

const schemaOf = (properties: object, examples: object[], required: string[] = []) =>
  JSON.stringify({ type: 'object', additionalProperties: false, properties, required, examples })

test('the built-in templates are fine', () => {
  expect(loadTemplates(builtIn).names).toEqual(['notification', 'welcome'])
})

test('a template renders subject, html and text with the message’s own subject', () => {
  const mail = loadTemplates(builtIn).render('welcome', { subject: 'Hello', data: { userName: 'Ada' } })
  expect(mail.subject.trim()).toBe('Hello')
  expect(mail.html).toContain('Welcome, Ada')
  expect(mail.html).toContain('<title>Hello</title>')
  expect(mail.text).toBe('Welcome, Ada\n\nYour account is ready.\n\n-- \nSent by Mono\n')
})

test('html is escaped, subject and text are not', () => {
  const data = { title: 'R&D <script>', body: '"quoted" & <b>bold</b>', link: 'https://example.com/?a=1&b=2' }
  const mail = loadTemplates(builtIn).render('notification', { subject: '', data })
  expect(mail.subject.trim()).toBe('R&D <script>')
  expect(mail.text).toContain('"quoted" & <b>bold</b>')
  expect(mail.html).toContain('&#34;quoted&#34; &amp; &lt;b&gt;bold&lt;/b&gt;')
  expect(mail.html).not.toContain('<script>')
  expect(mail.html).toContain('href="https://example.com/?a=1&amp;b=2"')
})

test.each(['', ' ', '\n'])('with the subject %j every built-in mail has a subject and a title', (subject) => {
  const templates = loadTemplates(builtIn)
  const mails = [
    templates.render('welcome', { subject, data: { userName: 'Ada' } }),
    templates.render('notification', { subject, data: {} }),
  ]
  expect(mails.map((mail) => mail.subject.trim())).toEqual(['Welcome to Mono, Ada', 'New notification'])
  for (const { html } of mails) expect(html).toContain('<title>Mono</title>')
})

test.each<[html: string, reason: string]>([
  ['{{ userName | escape }}', 'welcome/html.liquid:1:1: uses "escape", but HTML is escaped as it is output'],
  ['{{ userName | upcase | escape_once }}', 'uses "escape_once"'],
  ['{{ userName | xml_escape | upcase }}', 'uses "xml_escape"'],
  ['{% echo userName | escape %}', 'uses "escape"'],
  ['{% assign x = userName | escape %}{{ x }}', 'uses "escape"'],
  [
    '{% if userName %}{% for i in (1..2) %}\n{{ userName | escape }}{% endfor %}{% endif %}',
    'html.liquid:2:1: uses "escape"',
  ],
  ['{% capture x %}Dear {{ userName }}{% endcapture %}{{ x }}', 'captures what is escaped already'],
  [
    '{% capture x %}{% if userName %}{{ userName }}{% endif %}{% endcapture %}{{ x }}',
    'captures what is escaped already',
  ],
  ['{{ userName | newline_to_br | upcase }}', 'uses "newline_to_br" other than as the last filter'],
  ['{% assign x = userName | newline_to_br %}{{ x }}', 'uses "newline_to_br" other than as the last filter'],
  ['{% layout "html" %}{% block content %}{{ userName | escape }}{% endblock %}', 'uses "escape"'],
])('%s would escape twice, and is a fault', (html, reason) => {
  const faults = findFaults({ 'welcome/html.liquid': html })
  expect(faults.map(({ file, reason }) => `${file}: ${reason}`).join('\n')).toContain(reason)
})

test('a layout or partial that would escape twice is a fault, with its place', () => {
  const faults = findFaults({
    '_partials/name.liquid': '{{ name | escape }}',
    '_layouts/html.liquid': '{{ subject | escape }}{% block content %}{% endblock %}',
    'welcome/html.liquid': '{% layout "html" %}{% block content %}{% render "name", name: userName %}{% endblock %}',
  })
  expect(new Set(faults.map(({ file }) => file))).toEqual(
    new Set(['_layouts/html.liquid:1:1', '_partials/name.liquid:1:1']),
  )
})

test('line breaks may be shown anywhere in HTML, and there only', () => {
  const data = { userName: 'a\n<b>' }
  const html = '{{ userName | upcase | newline_to_br }}{% echo userName | newline_to_br %}'
  const files = createTemplates({ 'welcome/html.liquid': html })
  expect(loadTemplates(files).render('welcome', { subject: '', data }).html).toBe('A<br>\n&lt;B&gt;a<br>\n&lt;b&gt;')
  expect(findFaults({ 'welcome/text.liquid': '{{ userName | newline_to_br }}' })).toMatchObject([
    { reason: 'undefined filter: newline_to_br' },
  ])
  expect(findFaults({ 'welcome/text.liquid': '{{ userName | escape }}' })).toEqual([])
})

test('data that looks like a template is data', () => {
  const data = { userName: '{{ subject }}{% render "x" %}' }
  expect(loadTemplates(builtIn).render('welcome', { subject: 's', data }).text).toContain(data.userName)
})

test.each<[string, object]>([
  ['left out', {}],
  ['null', { link: null }],
])('an optional property may be %s', (_, optional) => {
  const data = { title: 't', body: 'b', ...optional }
  const mail = loadTemplates(createTemplates(card)).render('card', { subject: 's', data })
  expect(mail).toEqual({ subject: 't', html: 'b', text: 'b' })
})

test('so may one deep in the data, but a required one may not be null', () => {
  const templates = loadTemplates(createTemplates(card))
  const render = (line: object) =>
    templates.render('card', { subject: 's', data: { title: 't', body: 'b', lines: [{ name: 'n' }, line] } })
  expect(render({ name: 'n', note: null }).text).toBe('b')
  expect(() => render({ name: null })).toThrow('data.lines[1].name must be string')
})

const combined = (schema: object, html: string, examples: object[]) => ({
  ...sameEverywhere(''),
  'welcome/html.liquid': html,
  'welcome/schema.json': JSON.stringify({ type: 'object', additionalProperties: true, ...schema, examples }),
})
const text = { type: 'string' }
const note = { type: 'object', properties: { note: text } }

test.each<[string, object, Record<string, unknown>]>([
  ['$ref', { properties: { a: { $ref: '#/$defs/note' } }, $defs: { note } }, { a: {} }],
  [
    'a $ref to a $ref',
    { properties: { a: { $ref: '#/$defs/b' } }, $defs: { note, b: { $ref: '#/$defs/note' } } },
    { a: {} },
  ],
  [
    'a $ref of the whole',
    { $ref: '#/$defs/all', $defs: { all: { type: 'object', properties: { a: note } } } },
    { a: {} },
  ],
  ['a $ref to itself', { properties: { a: { $ref: '#' }, note: text } }, { a: {} }],
  ['an escaped $ref', { properties: { a: { $ref: '#/$defs/x~1y%20z' } }, $defs: { 'x/y z': note } }, { a: {} }],
  ['allOf', { allOf: [{ type: 'object', properties: { a: note } }] }, { a: {} }],
  [
    'oneOf',
    {
      oneOf: [
        { type: 'object', required: ['a'], properties: { a: note } },
        { type: 'object', required: ['b'], properties: { b: text } },
      ],
    },
    { a: {} },
  ],
  ['anyOf in a property', { properties: { a: { anyOf: [note, text] } } }, { a: {} }],
  [
    'then',
    JSON.parse(`{
      "if": { "type": "object", "required": ["a"], "properties": { "a": { "type": "object" } } },
      "then": { "type": "object", "properties": { "a": ${JSON.stringify(note)} } }
    }`),
    { a: {} },
  ],
  [
    'dependentSchemas',
    { properties: { a: { type: 'object' } }, dependentSchemas: { a: { type: 'object', properties: { a: note } } } },
    { a: {} },
  ],
  ['additionalProperties', { properties: { a: { type: 'object', additionalProperties: note } } }, { a: { key: {} } }],
])('what may be left out by %s is null', (what, schema, data) => {
  const path = what === 'additionalProperties' ? 'a.key.note' : 'a.note'
  const files = combined(schema, `{{ ${path} }}{% if ${path} %}never{% endif %}.`, [data])
  const templates = loadTemplates(createTemplates(files))
  expect(templates.render('welcome', { subject: '', data }).html).toBe('.')
  const nulls = JSON.parse(JSON.stringify(data).replace('{}', '{"note":null}'))
  expect(templates.render('welcome', { subject: '', data: nulls }).html).toBe('.')
})

test('of alternatives the ones that do not apply are null', () => {
  const person = { type: 'object', required: ['person'], properties: { person: text } }
  const company = { type: 'object', required: ['company'], properties: { company: text } }
  const html = '{% if company %}{{ company }} Ltd{% else %}{{ person }}{% endif %}'
  const files = combined({ oneOf: [person, company] }, html, [{ person: 'Ada' }, { company: 'Mono' }])
  const { render } = loadTemplates(createTemplates(files))
  expect(render('welcome', { subject: '', data: { person: 'Ada' } }).html).toBe('Ada')
  expect(render('welcome', { subject: '', data: { company: 'Mono', person: null } }).html).toBe('Mono Ltd')
  expect(() => render('welcome', { subject: '', data: {} })).toThrow('data.person is missing')
})

test('a misspelt variable is found behind $ref and in alternatives', () => {
  const schema = { properties: { a: { $ref: '#/$defs/note' } }, $defs: { note } }
  expect(findFaults(combined(schema, '{{ a.nope }}', [{ a: {} }]))).toMatchObject([{ variable: 'a.nope' }])
  const other = { oneOf: [{ type: 'object', properties: { a: note } }] }
  expect(findFaults(combined(other, '{{ b }}', [{ a: {} }]))).toMatchObject([{ variable: 'b' }])
})

test('what is in an object that is left out shows nothing', () => {
  const user = { type: 'object', required: ['name'], properties: { name: text } }
  const files = combined({ properties: { user: { $ref: '#/$defs/user' } }, $defs: { user } }, '{{ user.name }}.', [{}])
  expect(loadTemplates(createTemplates(files)).render('welcome', { subject: '', data: {} }).html).toBe('.')
})

test.each(['#/$defs/none', '#anchor', 'https://example.com/schema.json'])('a $ref to %s is a fault', ($ref) => {
  const schema = { properties: { a: { $ref } }, $defs: { note: { $anchor: 'anchor', ...note } } }
  expect(findFaults(combined(schema, '', [{}]))).toMatchObject([{ file: 'welcome/schema.json' }])
})

describe('a render during which the process stands still', () => {
  /** The clock goes on by ten seconds at each of these looks at it, as if the process had been stopped. */
  function stopProcessAt(...looks: number[]) {
    const now = performance.now.bind(performance)
    let look = 0
    let stoppedMs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => {
      look += 1
      if (looks.includes(look)) stoppedMs += 10_000
      return now() + stoppedMs
    })
    onTestFinished(() => void vi.restoreAllMocks())
  }
  const render = () => loadTemplates(builtIn).render('welcome', { subject: 's', data: { userName: 'Ada' } })

  test('is made again', () => {
    const mail = render()
    const templates = loadTemplates(builtIn)
    stopProcessAt(2, 20)
    expect(templates.render('welcome', { subject: 's', data: { userName: 'Ada' } })).toEqual(mail)
  })

  test('is tried later if that happens each time, and is no fault of the data', () => {
    const templates = loadTemplates(builtIn)
    stopProcessAt(...Array.from({ length: 1_000 }, (_, index) => index))
    const again = () => templates.render('welcome', { subject: 's', data: { userName: 'Ada' } })
    expect(again).toThrow(RetryableError)
    expect(again).toThrow(expect.objectContaining({ code: 'HANDLER_TIMEOUT' }))
  })
})

describe('the template notification', () => {
  const render = (subject: string, data: Record<string, unknown>) =>
    loadTemplates(builtIn).render('notification', { subject, data })
  const heading = /<h1[^>]*>(.*)<\/h1>/

  test('shows the subject as its title, and needs no data', () => {
    const mail = render('New message', {})
    expect(mail.subject.trim()).toBe('New message')
    expect(mail.html.match(heading)?.[1]).toBe('New message')
    expect(mail.html).not.toContain('<p')
    expect(mail.html).not.toContain('<a ')
    expect(mail.text).toBe('New message\n\n-- \nSent by Mono\n')
  })

  test('shows body and link if they are there', () => {
    const mail = render('New message', { body: 'From Ada.\nToday.', link: 'https://example.com/7' })
    expect(mail.text).toBe('New message\n\nFrom Ada.\nToday.\n\nhttps://example.com/7\n\n-- \nSent by Mono\n')
    expect(mail.html).toContain('<p>From Ada.<br>\nToday.</p>\n<p><a href="https://example.com/7"')
  })

  test('shows a link without a body', () => {
    const { html, text } = render('New message', { link: 'https://example.com/7' })
    expect(text).toBe('New message\n\nhttps://example.com/7\n\n-- \nSent by Mono\n')
    expect(html).toContain('</h1>\n<p><a href="https://example.com/7"')
  })

  test.each<[string, unknown, string]>([
    ['Subject', 'Title', 'Subject'],
    ['', 'Title', 'Title'],
    [' ', 'Title', 'Title'],
    ['', null, 'New notification'],
    ['', '', 'New notification'],
  ])('with the subject %j and the title %j in its data it is called %s', (subject, title, shown) => {
    const mail = render(subject, { title, body: 'b' })
    expect([mail.subject.trim(), mail.html.match(heading)?.[1], mail.text.split('\n')[0]]).toEqual([
      shown,
      shown,
      shown,
    ])
  })

  test.each<Record<string, unknown>>([
    { conversationId: 'hidden', unread: 3 },
    { body: null },
    { body: '' },
    { body: ' \n' },
    { subject: 'hidden', content: 'hidden', forloop: 'hidden', 'odd key': 'hidden', '~/': 'hidden' },
    JSON.parse('{"__proto__":{"body":"hidden"},"constructor":"hidden"}'),
    { deep: JSON.parse(`${'['.repeat(30)}"hidden"${']'.repeat(30)}`) },
  ])('takes data that was not made for it, and shows nothing of it: %j', (data) => {
    expect(render('s', data)).toEqual(render('s', {}))
  })

  test.each<[Record<string, unknown>, string]>([
    [{ title: 7 }, 'data.title must be string'],
    [{ body: { text: 'hidden' } }, 'data.body must be string'],
    [{ link: '/hidden' }, 'data.link must match'],
    [{ link: 'javascript:hidden()' }, 'data.link must match'],
  ])('refuses %j, for what it shows must fit', (data, reason) => {
    expect(() => render('s', data)).toThrow(reason)
  })

  test('shows line breaks of every kind, and escapes the rest', () => {
    const { html } = render('s', { body: '<b>\r\nR&D\n\n"x"\ry\u2028z' })
    expect(html).toContain('<p>&lt;b&gt;<br>\nR&amp;D<br>\n<br>\n&#34;x&#34;<br>\ny<br>\nz</p>')
    expect(html).not.toContain('white-space')
  })

  test('holds long words in a table that they cannot widen', () => {
    const url = `https://example.com/${'w'.repeat(2_000)}`
    const { html } = render(url, { body: url, link: url })
    const cell = html.slice(0, html.indexOf('<h1'))
    expect(cell).toMatch(
      /<table [^>]*table-layout: fixed[^>]*>\n<tr><td [^>]*overflow-wrap: anywhere; word-break: break-word/,
    )
    expect(html).toContain(`<h1 style="margin-top: 0; font-size: 22px">${url}</h1>`)
  })

  test('shows a body of any length', () => {
    const body = 'a'.repeat(1_000_000)
    expect(render('s', { body }).text).toContain(body)
  })
})

test.each([examples['email.notification'], { ...examples['email.notification'], subject: '' }])(
  'the example of a mail from a template fits the template that it names',
  ({ template, subject, data }) => {
    const { html, text } = loadTemplates(builtIn).render(template, { subject, data })
    expect([html, text]).toEqual([expect.stringContaining('Ada'), expect.stringContaining('Ada')])
  },
)

test.each(['nowhere', '../welcome', '../../package', 'welcome/../welcome', '_layouts', '', '__proto__', 'constructor'])(
  'the name %j is no template',
  (name) => {
    const render = () => loadTemplates(builtIn).render(name, { subject: 's', data: {} })
    expect(render).toThrow(PermanentError)
    expect(render).toThrow(expect.objectContaining({ code: 'UNKNOWN_TEMPLATE' }))
    expect(render).toThrow(`There is no template ${JSON.stringify(name)}; there are notification, welcome`)
  },
)

test.each([
  ['welcome', {}, 'data.userName is missing'],
  ['welcome', { userName: 7 }, 'data.userName must be string'],
  ['welcome', { userName: null }, 'data.userName must be string'],
  ['welcome', { userName: 'Ada', isAdmin: true }, 'data.isAdmin is not in the schema'],
  ['welcome', { userName: 'Ada', isAdmin: null }, 'data.isAdmin is not in the schema'],
  ['card', { title: 't', body: 'b', link: 'javascript:alert(1)' }, 'data.link must match pattern "^https://"'],
  ['card', { title: 't', body: 'b', link: 'http://example.com' }, 'data.link must match pattern "^https://"'],
  ['card', { title: 't', body: 'b', link: 'https://exa mple.com' }, 'data.link must match format "uri"'],
  ['card', { title: 't', body: null }, 'data.body must be string'],
])('%s refuses %j and names the path', (name, data, reason) => {
  const templates = loadTemplates(createTemplates(card))
  const render = () => templates.render(name, { subject: 's', data })
  expect(render).toThrow(PermanentError)
  expect(render).toThrow(expect.objectContaining({ code: 'INVALID_TEMPLATE_DATA' }))
  expect(render).toThrow(reason)
})

test('a refusal lists every path and quotes no value', () => {
  const data = { title: 5, link: 'javascript:secret()' }
  const templates = loadTemplates(createTemplates(card))
  const render = () => templates.render('card', { subject: 's', data })
  expect(render).toThrow(/data\.body is missing; .*data\.title must be string; .*data\.link must match pattern/)
  expect(render).not.toThrow('secret')
})

test('a variable that only some data reaches is a fault of that data, with its place', () => {
  const directory = createTemplates({
    'list/subject.liquid': 's',
    'list/html.liquid': '{% for item in items %}{{ item.name }}{% endfor %}',
    'list/text.liquid': 't',
    'list/schema.json': schemaOf(
      { items: { type: 'array', items: { type: 'object', properties: { nam: { type: 'string' } } } } },
      [{ items: [] }],
      ['items'],
    ),
  })
  const render = () => loadTemplates(directory).render('list', { subject: 's', data: { items: [{}] } })
  expect(render).toThrow(expect.objectContaining({ code: 'INVALID_TEMPLATE_DATA' }))
  expect(render).toThrow('undefined variable: item.name')
})

test('a property that data has only from its prototype is not there', () => {
  const directory = createTemplates({
    'list/subject.liquid': 's',
    'list/html.liquid': '{% for item in items %}{{ item.toString }}{% endfor %}',
    'list/text.liquid': 't',
    'list/schema.json': schemaOf({ items: { type: 'array' } }, [{ items: [] }], ['items']),
  })
  const render = () => loadTemplates(directory).render('list', { subject: 's', data: { items: [{}] } })
  expect(render).toThrow('undefined variable: item.toString')
})

/** Where others keep the processors busy the process uses less of the time, and it is not the template's that is up. */
function useWholeProcessor(): void {
  const used = vi
    .spyOn(process, 'cpuUsage')
    .mockImplementation((before) => ({ user: performance.now() * 1_000 - (before?.user ?? 0), system: 0 }))
  onTestFinished(() => used.mockRestore())
}

test.each([
  [
    'time',
    '{% for a in n %}{% for b in n %}{% for c in n %}{% assign d = 1 %}{% endfor %}{% endfor %}{% endfor %}',
    250,
  ],
  ['memory', '{% for a in n %}{% for b in (1..100000) %}{% break %}{% endfor %}{% endfor %}', 200],
])('data that makes a template take too much %s is refused', { timeout: 30_000 }, (_, html, length) => {
  const directory = createTemplates({
    'list/subject.liquid': 's',
    'list/html.liquid': html,
    'list/text.liquid': 't',
    'list/schema.json': schemaOf({ n: { type: 'array' } }, [{ n: [] }], ['n']),
  })
  useWholeProcessor()
  const n = Array.from({ length }, (_each, index) => index)
  const render = () => loadTemplates(directory).render('list', { subject: 's', data: { n } })
  expect(render).toThrow(
    expect.objectContaining({ code: 'INVALID_TEMPLATE_DATA', message: expect.stringContaining('limit exceeded') }),
  )
})

test('nothing is read from disk after the start', () => {
  const directory = createTemplates()
  const templates = loadTemplates(directory)
  rmSync(directory, { recursive: true })
  mkdirSync(directory)
  expect(templates.render('welcome', { subject: 's', data: { userName: 'Ada' } }).html).toContain('Sent by Mono')
})

test('a misspelt variable is found at the start, with template, file and variable', () => {
  expect(findFaults({ 'welcome/text.liquid': 'Hello,\n{{ userNmae }}' })).toEqual([
    {
      file: 'welcome/text.liquid:2:4',
      variable: 'userNmae',
      reason: 'uses the variable "userNmae", which welcome/schema.json does not have',
    },
  ])
})

test('so is one in the layout, and one in a condition that no example meets', () => {
  const faults = findFaults({
    '_layouts/html.liquid': '{{ brand }}{% block content %}{% endblock %}',
    'welcome/text.liquid': '{% if userName == "nobody" %}{{ secret }}{% endif %}',
  })
  expect(faults.map(({ file, variable }) => [file, variable])).toEqual([
    ['_layouts/html.liquid:1:4', 'brand'],
    ['_layouts/html.liquid:1:4', 'brand'],
    ['welcome/text.liquid:1:33', 'secret'],
  ])
})

test.each([
  ['user.nmae', false],
  ['user.name', true],
  ['user.name.size', true],
  ['user.name.first', false],
  ['items.size', true],
  ['items[0].price', true],
  ['items.first.cost', false],
  ['items.first.more.anything', true],
  ['constructor', false],
])('of a schema with nested data, %s is known: %s', (variable, known) => {
  const schema = schemaOf(
    {
      user: { type: 'object', properties: { name: { type: 'string' } } },
      items: {
        type: 'array',
        items: { type: 'object', properties: { price: { type: 'number' }, more: { type: 'object' } } },
      },
    },
    [{ user: { name: 'Ada' }, items: [{ price: 1, more: { anything: 1 } }] }],
    ['user', 'items'],
  )
  const faults = findFaults({ 'welcome/schema.json': schema, ...sameEverywhere(`{{ ${variable} }}`) })
  expect(faults.length === 0).toBe(known)
})

const sameEverywhere = (content: string) => ({
  'welcome/subject.liquid': content,
  'welcome/html.liquid': content,
  'welcome/text.liquid': content,
})

test.each([
  ['raw output', { 'welcome/html.liquid': '{{ userName | raw }}' }, 'undefined filter: raw'],
  ['strip_html', { 'welcome/text.liquid': '{{ userName | strip_html }}' }, 'undefined filter: strip_html'],
  ['a filter that does not exist', { 'welcome/text.liquid': '{{ userName | shout }}' }, 'undefined filter: shout'],
  ['a tag that is not closed', { 'welcome/html.liquid': '{% if userName %}' }, 'not closed'],
  ['a layout that does not exist', { 'welcome/html.liquid': '{% layout "none" %}' }, 'Failed to lookup "none"'],
  ['a partial outside', { 'welcome/html.liquid': '{% render "../../../etc/hostname" %}' }, 'Failed to lookup'],
  ['a missing file', { 'welcome/text.liquid': null }, 'is missing'],
  ['no schema', { 'welcome/schema.json': null }, 'is missing'],
  ['a schema that is no JSON', { 'welcome/schema.json': '{' }, 'JSON'],
  ['a schema for a list', { 'welcome/schema.json': '{"type":"array"}' }, 'expected a schema with "type": "object"'],
  [
    'a schema that says nothing of other data',
    { 'welcome/schema.json': '{"type":"object"}' },
    '"additionalProperties": false',
  ],
  [
    'a schema for other data',
    { 'welcome/schema.json': '{"type":"object","additionalProperties":{"type":"string"}}' },
    '"additionalProperties": false',
  ],
  [
    'a variable that an open schema does not have',
    { 'welcome/schema.json': schemaOf({}, [{}]).replace('false', 'true') },
    'uses the variable "userName"',
  ],
  ['a schema without examples', { 'welcome/schema.json': schemaOf({}, []) }, '"examples" with at least one object'],
  ['a misspelt keyword', { 'welcome/schema.json': schemaOf({ userName: { minLenght: 1 } }, [{}]) }, 'minLenght'],
  ['a property called subject', { 'welcome/schema.json': schemaOf({ subject: {} }, [{}]) }, 'is the subject of the'],
  [
    'an example that does not fit',
    { 'welcome/schema.json': schemaOf({ userName: { type: 'string' } }, [{ userName: 7 }]) },
    'examples[0] does not fit the schema: data.userName must be string',
  ],
])('%s is a fault', (_what, files, reason) => {
  const faults = findFaults(files)
  expect(faults.map((fault) => `${fault.file}: ${fault.reason}`).join('\n')).toContain(reason)
  expect(faults[0]?.file).toContain('welcome/')
})

test('a template that fails with an example is a fault', () => {
  const schema = schemaOf({ items: { type: 'array', items: { type: 'object' } } }, [{ items: [] }, { items: [{}] }])
  const html = '{% for item in items %}{{ item.name }}{% endfor %}'
  const files = { ...sameEverywhere(''), 'welcome/schema.json': schema, 'welcome/html.liquid': html }
  expect(findFaults(files)).toMatchObject([
    { file: 'welcome with examples[1]:1:27', variable: 'item.name', reason: 'undefined variable: item.name' },
  ])
})

test.each(['welcome/html.liquid', 'welcome/schema.json'])('%s that leads out of the directory is a fault', (file) => {
  const outside = createTemplates()
  const directory = createTemplates({ [file]: null })
  symlinkSync(join(outside, file), join(directory, file))
  expect(() => loadTemplates(directory)).toThrow('is a link to a file outside the templates directory')
})

test('a link within the directory is followed', () => {
  const directory = createTemplates({ 'welcome/html.liquid': null })
  symlinkSync(join(directory, 'welcome/text.liquid'), join(directory, 'welcome/html.liquid'))
  expect(loadTemplates(directory).names).toContain('welcome')
})

test('a folder whose name no message can have is a fault', () => {
  expect(findFaults({ 'Welcome_Again/html.liquid': '' })).toMatchObject([{ file: 'Welcome_Again' }])
})

test('a directory that is not there or empty is a fault', () => {
  const directory = mkdtempSync(join(tmpdir(), 'templates-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  expect(() => loadTemplates(directory)).toThrow('expected a folder for each template, found none')
  expect(() => loadTemplates(join(directory, 'none'))).toThrow('expected a directory with templates (ENOENT)')
})

test('the error lists every fault of every template', () => {
  const directory = createTemplates({ 'welcome/text.liquid': '{{ a }}', 'notification/schema.json': null })
  expect(() => loadTemplates(directory)).toThrow(
    [
      `The templates in ${directory} have 2 faults:`,
      '  notification/schema.json: is missing',
      '  welcome/text.liquid:1:4: uses the variable "a", which welcome/schema.json does not have',
    ].join('\n'),
  )
})
