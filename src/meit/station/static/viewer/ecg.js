/* One recording as the viewer has it: the document of meit.station.viewer_document, and the samples of the filter in force. */

export class Ecg {
  /** Reads the document at `url` (JSON), without samples yet. */
  static async load(url) {
    const address = new URL(url, document.baseURI);
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the recording could not be loaded (${response.status})`);
    return new Ecg(await response.json(), address);
  }

  constructor(about, address) {
    this.about = about;
    this.address = address;
    this.rate = about.rate_hz;
    this.seconds = about.samples / about.rate_hz;
    this.read = new Map(); // filter -> leads, as they were read
    this.leads = new Map(); // name -> {values: Float32Array in mV, NaN where not recorded; level: its median}
    this.filter = "";
  }

  /** The leads through a filter; of one that this recording's rate does not allow, through the band alone. */
  async through(band, mains) {
    const { bands, mains: notches, written } = this.about.filters;
    const has = (list, name) => list.some((one) => one.name === name);
    const chosen = [has(bands, band) ? band : "none", has(notches, mains) ? mains : "off"];
    const key = chosen.join(" ");
    if (!this.read.has(key)) {
      const place = this.about.signal.replace("{band}", encodeURIComponent(chosen[0]));
      const response = await fetch(new URL(place.replace("{mains}", encodeURIComponent(chosen[1])), this.address));
      if (!response.ok) throw new Error(`the signal could not be loaded (${response.status})`);
      this.read.set(key, leadsOf(await response.arrayBuffer(), this.about));
    }
    return { filter: written[key], leads: this.read.get(key) };
  }

  measured(name) {
    return this.about.measurements.find((row) => row.name === name)?.text ?? "";
  }
}

function leadsOf(buffer, about) {
  const view = new DataView(buffer);
  if (buffer.byteLength !== 4 * about.samples * about.leads.length) throw new Error("the signal is not whole");
  return new Map(
    about.leads.map((name, place) => {
      const values = new Float32Array(about.samples);
      for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * (place * values.length + i), true);
      return [name, { values, level: median(values) }];
    }),
  );
}

function median(values) {
  const sorted = values.filter(Number.isFinite).sort();
  const half = sorted.length >> 1;
  if (!sorted.length) return 0;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
