namespace Tidings.Testing.Servers;

/// <summary>What stands before which nodes.</summary>
public sealed class NginxSettings
{
    /// <summary>A file of <c>deploy/nginx</c>: <c>one-node.conf</c>, <c>several-nodes.conf</c> (both with TLS) or <c>compose.conf</c> (without).</summary>
    public required string Site { get; init; }

    /// <summary>The addresses of the nodes; at least one.</summary>
    public required IReadOnlyList<Uri> Nodes { get; init; }

    /// <summary>Directives to change, such as <c>proxy_read_timeout 60s;</c> into one of two seconds. Each must be in the shipped files.</summary>
    public IReadOnlyDictionary<string, string> Changes { get; init; } = new Dictionary<string, string>();
}
