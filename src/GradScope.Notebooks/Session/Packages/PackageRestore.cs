using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace GradScope.Notebooks;

/// <summary>Packages could not be restored; the message names them, where they were looked for, and what to do.</summary>
internal sealed class RestoreException(string message) : Exception(message);

/// <summary>
/// Restores packages through a generated project and the .NET SDK, which knows registries, feeds and NuGet.config. What came
/// out is kept by packages, sources, framework and machine, and answers the next time without the SDK.
/// </summary>
/// <param name="cache">Where results are kept, one file each.</param>
/// <param name="folder">Where the search for NuGet.config starts: the notebook's folder.</param>
internal sealed partial class PackageRestore(string cache, string folder)
{
    private static readonly TimeSpan freshness = TimeSpan.FromDays(1);
    private static readonly string framework = $"net{Environment.Version.Major}.{Environment.Version.Minor}";

    /// <summary>
    /// The packages and all that they need. "The newest" is asked for again after a day, and stays what it was where that fails.
    /// </summary>
    /// <exception cref="RestoreException">The packages cannot be had.</exception>
    public async Task<IReadOnlyList<RestoredPackage>> RestoreAsync(
        IReadOnlyList<PackageRequest> requests, IReadOnlyList<string> sources, CancellationToken stop)
    {
        var kept = Path.Combine(cache, $"{Key(requests, sources)}.json");
        var known = PackageAssets.TryRead(kept);
        if (known is not null && (!requests.Any(IsFloating) || DateTime.UtcNow - File.GetLastWriteTimeUtc(kept) < freshness))
            return known;
        try
        {
            await RestoreAsync(requests, sources, kept, stop).ConfigureAwait(false);
        }
        catch (RestoreException) when (known is not null)
        {
            return known;
        }
        return PackageAssets.TryRead(kept) ?? throw new RestoreException(
            $"{Names(requests)}: restored, but files of it are missing from NuGet's package folder; clear it with 'dotnet nuget locals global-packages --clear' and run the cell again");
    }

    private async Task RestoreAsync(IReadOnlyList<PackageRequest> requests, IReadOnlyList<string> sources, string kept, CancellationToken stop)
    {
        var work = Directory.CreateDirectory(Path.Combine(cache, Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            var project = Path.Combine(work, "packages.csproj");
            Project(requests, sources).Save(project);
            var (code, output) = await RunAsync(["restore", project, "--nologo", "--disable-build-servers", "-verbosity:minimal"], stop).ConfigureAwait(false);
            if (code != 0)
                throw new RestoreException(Explain(requests, sources, output));
            var assets = Path.Combine(work, "obj", "project.assets.json");
            File.Move(assets, kept, overwrite: true);
            File.SetLastWriteTimeUtc(kept, DateTime.UtcNow);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>Nothing around the cache folder has a say in the project, and the notebook's NuGet.config has.</summary>
    private XDocument Project(IReadOnlyList<PackageRequest> requests, IReadOnlyList<string> sources) => new(
        new XElement("Project", new XAttribute("Sdk", "Microsoft.NET.Sdk"),
            new XElement("PropertyGroup",
                new XElement("TargetFramework", framework),
                new XElement("RuntimeIdentifier", RuntimeInformation.RuntimeIdentifier),
                new XElement("SelfContained", false),
                new XElement("UseAppHost", false),
                new XElement("ManagePackageVersionsCentrally", false),
                new XElement("NuGetAudit", false),
                new XElement("TreatWarningsAsErrors", false),
                new XElement("RestoreRootConfigDirectory", folder),
                new XElement("RestoreAdditionalProjectSources", string.Join(';', sources))),
            new XElement("ItemGroup", requests.Select(request =>
                new XElement("PackageReference", new XAttribute("Include", request.Id), new XAttribute("Version", Version(request)))))));

    private static async Task<(int Code, string Output)> RunAsync(string[] arguments, CancellationToken stop)
    {
        var start = new ProcessStartInfo(DotNetCommand.Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        // A host that was itself started by the SDK hands on where that SDK's parts are; they need not fit another.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_NOLOGO"] = "1";
        using var process = Start(start);
        process.StandardInput.Close();
        await using var registration = stop.UnsafeRegister(_ => process.Kill(entireProcessTree: true), null);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        var text = await output.ConfigureAwait(false) + await error.ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        return (process.ExitCode, text);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new RestoreException($"packages are restored by the .NET SDK, and '{start.FileName}' cannot be started ({error.Message}); install the SDK and put dotnet on the PATH");
        }
    }

    private static string Explain(IReadOnlyList<PackageRequest> requests, IReadOnlyList<string> sources, string output)
    {
        if (output.Contains("No .NET SDKs were found", StringComparison.Ordinal))
            return $"{Names(requests)}: packages are restored by the .NET SDK, which is not installed here; install it, or refer to a built assembly with #r \"path/to/its.dll\"";
        var errors = Fault().Matches(output).Select(match => match.Groups["message"].Value.Trim()).Distinct().ToList();
        var reasons = errors.Count > 0 ? string.Join("; ", errors) : output.Trim();
        var extra = sources.Count > 0 ? $" The cell's own sources are {string.Join(", ", sources)}." : "";
        var remedy = true switch
        {
            _ when reasons.Contains("NU1301", StringComparison.Ordinal) => "A source cannot be reached: look at the network and at 'dotnet nuget list source', or add another source with #i \"nuget: …\".",
            _ when reasons.Contains("NU1103", StringComparison.Ordinal) => "There are only versions before a release: ask for one, or for any with #r \"nuget: Name, *-*\".",
            _ => "Look at the name and the version, or add a source with #i \"nuget: …\".",
        };
        return $"{Names(requests)}: not restored. {reasons}.{extra} {remedy}";
    }

    private static string Names(IEnumerable<PackageRequest> requests) =>
        string.Join(", ", requests.Select(request => request.Version.Length == 0 ? request.Id : $"{request.Id} {request.Version}"));

    private static string Version(PackageRequest request) => request.Version.Length == 0 ? "*" : request.Version;

    private static bool IsFloating(PackageRequest request) => Version(request).Contains('*');

    private static string Key(IReadOnlyList<PackageRequest> requests, IReadOnlyList<string> sources)
    {
        var lines = requests.Select(request => $"{request.Id.ToLowerInvariant()} {Version(request)}").Order(StringComparer.Ordinal)
            .Concat(sources.Order(StringComparer.Ordinal)).Append(framework).Append(RuntimeInformation.RuntimeIdentifier);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))))[..32];
    }

    [GeneratedRegex(@"error (?<message>(NU\d+)?\s*:?.*?)\.?( \[[^\[\]]+\])?\r?$", RegexOptions.Multiline)]
    private static partial Regex Fault();
}
