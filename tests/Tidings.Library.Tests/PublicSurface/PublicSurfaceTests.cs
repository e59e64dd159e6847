using System.Reflection;
using System.Xml.Linq;
using Tidings.Protocols;
using Tidings.Realtime;
using Tidings.Testing.Servers;

namespace Tidings.Library.Tests.PublicSurface;

/// <summary>
/// What others build on changes only on purpose: it is written down beside this file. After an intended change run these tests with
/// <c>TIDINGS_APPROVE=1</c>, look at the difference, commit it, and say it in the changelog.
/// </summary>
public sealed class PublicSurfaceTests
{
    public static TheoryData<string> Assemblies => ["Tidings.Protocols", "Tidings.Realtime"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public async Task What_is_public_is_what_was_approved(string name)
    {
        var approved = Path.Combine(Repository.Root, "tests", "Tidings.Library.Tests", "PublicSurface", $"{name}.txt");
        var actual = PublicSurface.Of(Find(name));
        if (Environment.GetEnvironmentVariable("TIDINGS_APPROVE") == "1") await File.WriteAllTextAsync(approved, actual);

        actual.ShouldBe(await File.ReadAllTextAsync(approved), $"If this is intended, approve it: {nameof(PublicSurfaceTests)} says how.");
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_public_type_is_explained(string name)
    {
        var assembly = Find(name);
        var explained = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member").Select(member => (string?)member.Attribute("name")).ToHashSet();

        assembly.GetExportedTypes().Where(type => !explained.Contains($"T:{type.FullName}")).ShouldBeEmpty();
    }

    private static Assembly Find(string name) => name == "Tidings.Realtime" ? typeof(RealtimeOptions).Assembly : typeof(ITidings).Assembly;
}
