/**
 * Whether a topic exchange sends this routing key along a binding with this key (AMQP 0-9-1, topic exchange): words are
 * parted by dots, `*` stands for one word, `#` for any number of words.
 */
export function matchesBindingKey(bindingKey: string, routingKey: string): boolean {
  return matchesWords(bindingKey.split('.'), routingKey.split('.'))
}

function matchesWords(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return words.length === 0
  if (first === '#') return matchesWords(rest, words) || (words.length > 0 && matchesWords(pattern, words.slice(1)))
  return words.length > 0 && (first === '*' || first === words[0]) && matchesWords(rest, words.slice(1))
}
