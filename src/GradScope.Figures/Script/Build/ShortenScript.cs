using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;
using NUglify;

/// <summary>
/// Runs while the library is built: makes of the script's sections, which begin with "// ==== name", what each kind of figure carries,
/// and all of them together.
/// </summary>
public sealed class ShortenScript : Task
{
    /// <summary>The script as it is written.</summary>
    [Required]
    public string Source { get; set; }

    /// <summary>Where the shortened ones go.</summary>
    [Required]
    public string Folder { get; set; }

    /// <summary>The files, named as the resources that they become.</summary>
    [Output]
    public ITaskItem[] Scripts { get; private set; }

    /// <inheritdoc/>
    public override bool Execute()
    {
        var parts = Regex.Split("// ==== core\n" + File.ReadAllText(Source), @"^ *// ==== (\w+)\r?$", RegexOptions.Multiline);
        var sections = Enumerable.Range(0, parts.Length / 2).ToDictionary(i => parts[2 * i + 1], i => parts[2 * i + 2]);
        Directory.CreateDirectory(Folder);
        Scripts = sections.Keys.Except(new[] { "core", "maps", "kit", "rows", "curves", "fold", "start" })
            .Select(kind => Shorten(kind, sections["core"] + sections["maps"] + sections["kit"] + sections[kind] + sections["start"]))
            .Append(Shorten("maps", sections["core"] + sections["maps"] + sections["start"]))
            .Append(Shorten("rows", sections["core"] + sections["rows"] + sections["start"]))
            .Append(Shorten("curves", sections["core"] + sections["maps"] + sections["curves"] + sections["start"]))
            .Append(Shorten("fold", sections["core"] + sections["fold"] + sections["start"]))
            .Append(Shorten("tape", sections["core"] + sections["maps"] + sections["rows"] + sections["start"]))
            .Append(Shorten("all", string.Concat(sections.Values)))
            .ToArray();
        return !Log.HasLoggedErrors;
    }

    private ITaskItem Shorten(string kind, string script)
    {
        var shortened = Uglify.Js(script);
        foreach (var error in shortened.Errors.Where(error => error.IsError))
        {
            Log.LogError($"{Source}: the script of {kind} cannot be shortened. {error}");
        }

        var file = Path.Combine(Folder, kind + ".js");
        File.WriteAllText(file, shortened.Code + "\n");
        return new TaskItem(file, new Dictionary<string, string> { ["LogicalName"] = $"gradscope.{kind}.js" });
    }
}
