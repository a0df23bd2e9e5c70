/* Requests to the station: JSON both ways, with the proof that a change was meant. */

export { make } from "./viewer/dom.js";

const csrf = document.querySelector("meta[name=csrf]").content;

export class Refused extends Error {
  constructor(status, body) {
    super(body.error ?? `the station answered ${status}`);
    this.status = status;
    this.body = body;
  }
}

export async function ask(url, { method = "GET", body = null, signal, keepalive = false } = {}) {
  const headers = { Accept: "application/json", "X-CSRF-Token": csrf };
  if (body !== null) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal, keepalive });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { error: "the station cannot be reached; what you wrote is kept here" });
  }
  if (response.status === 401) location.assign("/login");
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

/** Uploads files, telling how much of them is there; resolves to the answer. */
export function send(url, files, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    for (const file of files) form.append("files", file, file.name);
    request.open("POST", url);
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / event.total));
    request.addEventListener("load", () =>
      request.status < 300 ? resolve(request.response) : reject(new Refused(request.status, request.response ?? {})),
    );
    request.addEventListener("error", () => reject(new Refused(0, { error: "the station cannot be reached" })));
    request.send(form);
  });
}

export const byId = (id) => document.getElementById(id);
