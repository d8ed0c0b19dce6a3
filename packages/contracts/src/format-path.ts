const plainKey = /^[A-Za-z_$][\w$-]{0,39}$/
const keyLength = 40
const pathLength = 200

/**
 * A path as a reader of logs wants it: `changes.before[3].name`. Keys that are not plain words are quoted and cut, and
 * so is a very long path: keys of records come from outside.
 */
export function formatPath(path: readonly PropertyKey[]): string {
  let formatted = ''
  for (const step of path) {
    if (formatted.length > pathLength) return `${formatted.slice(0, pathLength)}…`
    if (typeof step === 'number') formatted += `[${step}]`
    else formatted += formatKey(String(step), formatted === '')
  }
  return formatted
}

function formatKey(key: string, isFirst: boolean): string {
  if (plainKey.test(key)) return isFirst ? key : `.${key}`
  return `[${JSON.stringify(key.length > keyLength ? `${key.slice(0, keyLength)}…` : key)}]`
}
