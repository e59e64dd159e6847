using System.Text.RegularExpressions;
using Tidings.Testing.Servers;
using YamlDotNet.RepresentationModel;

namespace Tidings.Deploy.Tests.Files;

/// <summary>The files of <c>deploy/</c> as they are shipped.</summary>
internal static partial class Shipped
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "deploy");

    public static string Text(params string[] path) => File.ReadAllText(PathOf(path));

    public static string PathOf(params string[] path) => Path.Combine([Folder, .. path]);

    /// <summary>The documents of a YAML file, with its aliases followed.</summary>
    public static IReadOnlyList<YamlMappingNode> Yaml(params string[] path)
    {
        var stream = new YamlStream();
        using var reader = new StringReader(Text(path));
        stream.Load(reader);
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    /// <summary>The lines <c>NAME=value</c> of an environment file.</summary>
    public static Dictionary<string, string> Environment(params string[] path) =>
        Text(path).Split('\n').Where(line => line.Contains('=') && !line.StartsWith('#')).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>A Dockerfile's instructions, continued lines joined.</summary>
    public static IReadOnlyList<(string Name, string Value)> Dockerfile() =>
        [.. Continued().Replace(Text("Dockerfile"), " ").Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ', 2)).Select(parts => (parts[0], parts[1].Trim()))];

    /// <summary>What is at a place in a document, by keys and by numbers of a list.</summary>
    public static YamlNode At(this YamlNode node, params object[] path) =>
        path.Aggregate(node, (at, step) => step is int number ? ((YamlSequenceNode)at).Children[number] : ((YamlMappingNode)at).Children[new YamlScalarNode((string)step)]);

    /// <summary>A text at a place in a document.</summary>
    public static string TextAt(this YamlNode node, params object[] path) => ((YamlScalarNode)node.At(path)).Value!;

    /// <summary>The pairs of a mapping of texts.</summary>
    public static Dictionary<string, string> Pairs(this YamlNode node) =>
        ((YamlMappingNode)node).Children.ToDictionary(pair => ((YamlScalarNode)pair.Key).Value!, pair => ((YamlScalarNode)pair.Value).Value!);

    /// <summary>The members of a mapping.</summary>
    public static IEnumerable<(string Name, YamlNode Value)> Children(this YamlNode node) =>
        ((YamlMappingNode)node).Children.Select(pair => (((YamlScalarNode)pair.Key).Value!, pair.Value));

    /// <summary>The names in a mapping, or the texts of a list.</summary>
    public static IReadOnlyList<string> AllKeys(this YamlNode node) =>
        node is YamlSequenceNode list ? [.. list.Select(item => ((YamlScalarNode)item).Value!)] : [.. node.Children().Select(child => child.Name)];

    public static bool Has(this YamlNode node, string name) => ((YamlMappingNode)node).Children.ContainsKey(new YamlScalarNode(name));

    /// <summary>The texts of a list; none if it is not there.</summary>
    public static IReadOnlyList<string> List(this YamlNode node, params object[] path) =>
        node.At(path[..^1]) is var parent && parent.Has((string)path[^1]) ? parent.At(path[^1]).AllKeys() : [];

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();
}
