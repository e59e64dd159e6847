using System.Globalization;
using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>Nchan, a module of nginx in C; Debian packages it.</summary>
internal sealed class Nchan : Contender
{
    private const string Program = "/usr/sbin/nginx";
    private const string Module = "/usr/lib/nginx/modules/ngx_nchan_module.so";

    internal override string Name => "nchan";

    internal override string Title => "Nchan (nginx)";

    internal override string? Missing => MissingUnless(Module) ?? MissingUnless(Program);

    internal override Dialect Dialect => new NchanDialect();

    internal override Launch Launch(IPEndPoint endPoint, string directory)
    {
        var configuration = Path.Combine(directory, "nginx.conf");
        File.WriteAllText(
            configuration,
            File.ReadAllText(InPeers("nchan/nginx.conf"))
                .Replace("@PORT@", endPoint.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
                .Replace("@DIRECTORY@", directory, StringComparison.Ordinal)
                .Replace("@MODULE@", Module, StringComparison.Ordinal));
        return new([Program, "-e", "stderr", "-p", directory, "-c", configuration], Hosting.Launch.NoVariables, "/health");
    }
}
