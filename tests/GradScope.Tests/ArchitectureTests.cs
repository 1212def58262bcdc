using System.Xml.Linq;

namespace GradScope.Tests;

/// <summary>The arrows between projects run one way: the engine never sees a picture, a host never sees a transformer.</summary>
public class ArchitectureTests
{
    private static readonly string Root = FindRoot();

    /// <summary>For each project under src, the projects that it may reference.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["GradScope"] = [],
        ["GradScope.Figures"] = ["GradScope"],
        ["GradScope.Tokenizers"] = ["GradScope"],
        ["GradScope.Interactive"] = ["GradScope.Figures", "GradScope.Tokenizers"],
        ["GradScope.Terminal"] = ["GradScope.Interactive"],
        ["GradScope.Notebooks"] = [],
        ["GradScope.Cli"] = ["GradScope.Interactive", "GradScope.Notebooks"],
    };

    public static TheoryData<string> Projects => [.. Directory
        .EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .Select(path => Path.GetFileNameWithoutExtension(path))
        .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_stands_before_it(string project)
    {
        Assert.True(Allowed.TryGetValue(project, out var allowed), $"{project} has no row in the table of allowed references; add one.");
        var references = Items(project, "ProjectReference").Select(item => Path.GetFileNameWithoutExtension(Included(item).Replace('\\', '/')));
        var wrong = references.Except(allowed!).ToList();
        Assert.True(wrong.Count == 0, $"{project} references {string.Join(", ", wrong)}; it may reference {Listed(allowed!)}.");
    }

    [Fact]
    public void The_engine_needs_no_package_but_vector_mathematics()
    {
        var packages = Items("GradScope", "PackageReference").Select(Included).Except(["System.Numerics.Tensors"]);
        Assert.Empty(packages);
    }

    [Fact]
    public void The_built_engine_references_the_base_library_alone()
    {
        var foreign = typeof(Tape).Assembly.GetReferencedAssemblies()
            .Select(assembly => assembly.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal));
        Assert.Empty(foreign);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Of_the_archived_host_only_the_formatters_are_referenced(string project)
    {
        var packages = Items(project, "PackageReference").Select(Included)
            .Where(name => name.StartsWith("Microsoft.DotNet.Interactive", StringComparison.OrdinalIgnoreCase))
            .Except(["Microsoft.DotNet.Interactive.Formatting"]);
        Assert.Empty(packages);
    }

    private static IEnumerable<XElement> Items(string project, string kind) =>
        XDocument.Load(Path.Combine(Root, "src", project, project + ".csproj")).Descendants(kind);

    private static string Included(XElement item) => item.Attribute("Include")!.Value;

    private static string Listed(string[] names) => names.Length == 0 ? "none" : string.Join(", ", names);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "GradScope.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No GradScope.sln above {AppContext.BaseDirectory}; run the tests from a clone of the repository.");
    }
}
