using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace Tidings.Testing.Servers;

/// <summary>
/// The configuration files of <c>deploy/nginx</c> as they are shipped, in a folder of their own, with nothing changed but ports, nodes, paths
/// and what a test asks for.
/// </summary>
public sealed partial class NginxConfiguration : IDisposable
{
    private readonly NginxSettings _settings;
    private readonly DirectoryInfo _folder;

    /// <summary>Writes the files.</summary>
    public NginxConfiguration(NginxSettings settings)
    {
        _settings = settings;
        _folder = Directory.CreateTempSubdirectory("tidings-nginx-");
        foreach (var name in (string[])["conf.d", "tidings", "logs", "temp", "tls"]) _folder.CreateSubdirectory(name);
        WriteCertificate();
        Write(settings.Nodes);
    }

    /// <summary>Where the shipped files are.</summary>
    public static string Source { get; } = Path.Combine(Repository.Root, "deploy", "nginx");

    /// <summary>The folder that all is in, the logs included.</summary>
    public string Folder => _folder.FullName;

    /// <summary>The main file.</summary>
    public string MainFile => Path.Combine(Folder, "nginx.conf");

    /// <summary>Where all logs are.</summary>
    public string Logs => Path.Combine(Folder, "logs");

    /// <summary>The port without TLS.</summary>
    public int Port { get; } = FreePort.Take();

    /// <summary>The port with TLS, where the site has one.</summary>
    public int TlsPort { get; } = FreePort.Take();

    /// <summary>Writes the files again, for other nodes.</summary>
    public void Write(IReadOnlyList<Uri> nodes)
    {
        if (nodes.Count == 0) throw new ArgumentException("nginx needs a node.", nameof(nodes));
        var unused = _settings.Changes.Keys.ToHashSet();
        foreach (var path in Directory.GetFiles(Source, "*.conf", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(Source, path);
            var isSite = !name.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal) && name != "nginx.conf";
            if (isSite && name != _settings.Site) continue;

            var text = File.ReadAllText(path);
            foreach (var (from, to) in _settings.Changes)
            {
                if (!text.Contains(from, StringComparison.Ordinal)) continue;
                text = text.Replace(from, to, StringComparison.Ordinal);
                unused.Remove(from);
            }

            File.WriteAllText(Path.Combine(Folder, isSite ? Path.Combine("conf.d", "tidings.conf") : name), Render(text, nodes));
        }

        if (unused.Count > 0) throw new ArgumentException($"No shipped file has: {string.Join(", ", unused)}");
    }

    /// <inheritdoc />
    public void Dispose() => _folder.Delete(recursive: true);

    private string Render(string text, IReadOnlyList<Uri> nodes)
    {
        text = text
            .Replace("/var/log/nginx/", $"{Logs}/", StringComparison.Ordinal)
            .Replace("/etc/nginx/conf.d/", $"{Folder}/conf.d/", StringComparison.Ordinal)
            .Replace("/etc/letsencrypt/live/tidings.example/", $"{Folder}/tls/", StringComparison.Ordinal)
            .Replace("/run/nginx.pid", $"{Folder}/nginx.pid", StringComparison.Ordinal)
            .Replace("listen 80", $"listen 127.0.0.1:{Port}", StringComparison.Ordinal)
            .Replace("listen 443", $"listen 127.0.0.1:{TlsPort}", StringComparison.Ordinal)
            .Replace("user www-data;", Environment.IsPrivilegedProcess ? "user root;" : "", StringComparison.Ordinal); // the folder is ours alone
        var temporary = string.Concat(((string[])["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]).Select(kind => $"\n    {kind}_temp_path {Folder}/temp/{kind};"));
        text = text.Replace("\nhttp {", $"\nhttp {{{temporary}", StringComparison.Ordinal);
        return Upstreams().Replace(text, upstream =>
        {
            var options = upstream.Groups["options"].Captures[0].Value;
            var lines = string.Concat(nodes.Select(node => string.Create(CultureInfo.InvariantCulture, $"    server {node.Authority}{options};\n")));
            return upstream.Groups["before"].Value + lines;
        });
    }

    private void WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=tidings.example", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("tidings.example");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(Path.Combine(Folder, "tls", "fullchain.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(Folder, "tls", "privkey.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    [GeneratedRegex(@"(?<before>upstream \w+ \{\n(?:    (?:least_conn|hash [^;]+);\n)?)(?:    server [\w.-]+:\d+(?<options>[^;]*);\n)+")]
    private static partial Regex Upstreams();
}
