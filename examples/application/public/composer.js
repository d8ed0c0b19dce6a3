// @ts-check
import { byId } from './dom.js'

/** The field in which messages are written. Enter sends; with Shift it begins a line. */
export class Composer {
  #form = byId('composer', HTMLFormElement)
  #field = byId('message', HTMLTextAreaElement)
  #listening = new AbortController()

  /**
   * @param {string} draft
   * @param {(content: string) => void} onSend
   */
  constructor(draft, onSend) {
    this.#field.value = draft
    const { signal } = this.#listening
    this.#field.addEventListener(
      'keydown',
      (event) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
        event.preventDefault()
        this.#form.requestSubmit()
      },
      { signal },
    )
    this.#form.addEventListener(
      'submit',
      (event) => {
        event.preventDefault()
        const content = this.#field.value
        if (content.trim() === '') return
        this.#form.reset()
        this.focus()
        onSend(content)
      },
      { signal },
    )
  }

  focus() {
    this.#field.focus()
  }

  /** @returns {string} the text that was not sent */
  close() {
    this.#listening.abort()
    const draft = this.#field.value
    this.#form.reset()
    return draft
  }
}
