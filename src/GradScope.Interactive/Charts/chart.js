(() => {
  // The library is unpacked once a page, whichever output carries it; without it the still pictures stay.
  const load = async () => {
    if (window.Plotly) return window.Plotly;
    const packed = document.querySelector('script.gs-plotly');
    if (!packed || !window.DecompressionStream) return null;
    const bytes = Uint8Array.from(atob(packed.textContent), c => c.charCodeAt(0));
    const code = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
    const script = document.createElement('script');
    // Shadowed, since a page's module loader would take the library away from the page.
    script.textContent = '(function(define,module,exports){' + code + '\n}).call(window)';
    document.head.append(script);
    return window.Plotly;
  };
  const draw = (plotly, chart) => {
    const spec = JSON.parse(chart.querySelector('script[type="application/json"]').textContent);
    const still = chart.querySelector('.gs-chart-still');
    const own = still.querySelector('.gs') || still;
    const style = getComputedStyle(own);
    const line = style.getPropertyValue('--gs-r').trim() || undefined;
    const given = typeof spec.layout === 'object' && spec.layout || {};
    const layout = {
      width: spec.width, height: spec.height, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', ...given,
      font: { color: style.color, family: style.fontFamily, ...given.font },
      xaxis: { gridcolor: line, zerolinecolor: line, automargin: true, ...given.xaxis },
      yaxis: { gridcolor: line, zerolinecolor: line, automargin: true, ...given.yaxis },
    };
    const place = document.createElement('div');
    chart.prepend(place);
    return plotly.newPlot(place, spec.data, layout, { displaylogo: false }).then(() => { still.hidden = true; }, () => place.remove());
  };
  (async () => {
    const plotly = await (window.gsPlotly ??= load());
    if (!plotly) { window.gsPlotly = undefined; return; }
    for (const chart of document.querySelectorAll('.gs-chart:not([data-gs-drawn])')) {
      chart.dataset.gsDrawn = '';
      draw(plotly, chart);
    }
  })().catch(() => {});
})();
