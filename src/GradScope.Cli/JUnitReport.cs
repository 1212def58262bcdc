using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary>What became of a run, as build servers read it: a suite a notebook, a case a cell.</summary>
internal static class JUnitReport
{
    public static void Save(string path, IReadOnlyList<NotebookRun> runs)
    {
        var suites = runs.Select(run => new XElement("testsuite",
            new XAttribute("name", Clean(run.Notebook.Name)),
            new XAttribute("tests", run.Cells),
            new XAttribute("failures", run.Failures.Count()),
            new XAttribute("errors", 0),
            new XAttribute("skipped", run.Cells - run.Ran.Count),
            new XAttribute("time", Seconds(run.Elapsed)),
            run.Ran.Select(cell => Case(run, cell.Cell, cell.Elapsed, cell.Failure is { } failure
                ? new XElement("failure", new XAttribute("message", Clean(failure.Message)), Clean($"{failure}"))
                : null)),
            Enumerable.Range(run.Ran.Count + 1, run.Cells - run.Ran.Count)
                .Select(cell => Case(run, cell, TimeSpan.Zero, new XElement("skipped", new XAttribute("message", "an earlier cell failed"))))));
        var root = new XElement("testsuites",
            new XAttribute("tests", runs.Sum(run => run.Cells)),
            new XAttribute("failures", runs.Sum(run => run.Failures.Count())),
            new XAttribute("time", Seconds(TimeSpan.FromTicks(runs.Sum(run => run.Elapsed.Ticks)))),
            suites);
        AtomicFile.WriteAllText(path, $"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{root}\n");
    }

    private static XElement Case(NotebookRun run, int cell, TimeSpan elapsed, XElement? outcome) => new("testcase",
        new XAttribute("classname", Clean(Path.GetFileNameWithoutExtension(run.Notebook.Name))),
        new XAttribute("name", string.Create(CultureInfo.InvariantCulture, $"cell {cell}")),
        new XAttribute("time", Seconds(elapsed)),
        outcome);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>A message may hold what XML cannot.</summary>
    private static string Clean(string text) => string.Concat(text.EnumerateRunes()
        .Select(rune => rune.IsBmp && !XmlConvert.IsXmlChar((char)rune.Value) ? "\uFFFD" : rune.ToString()));
}
