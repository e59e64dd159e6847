using System.Globalization;
using Tidings.Testing.Servers;
using YamlDotNet.RepresentationModel;

namespace Tidings.Deploy.Tests.Files;

/// <summary>No cluster runs here: the manifests are read, and what they say is compared with each other, the image and the server.</summary>
public sealed class KubernetesTests
{
    private static readonly YamlMappingNode Deployment = One("deployment.yaml");
    private static readonly YamlNode Pod = Deployment.At("spec", "template", "spec");
    private static readonly YamlNode Container = Pod.At("containers", 0);

    [Fact]
    public async Task Its_probes_ask_what_the_server_answers()
    {
        await using var server = await ServerProcess.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server.Address };
        foreach (var probe in (string[])["startupProbe", "livenessProbe", "readinessProbe"])
        {
            Container.TextAt(probe, "httpGet", "port").ShouldBe(Container.TextAt("ports", 0, "name"));
            using var answer = await http.GetAsync(Container.TextAt(probe, "httpGet", "path"));
            ((int)answer.StatusCode).ShouldBe(200, probe);
        }

        Container.TextAt("livenessProbe", "httpGet", "path").ShouldBe("/health/live", "a database that is away is no reason to restart");
        Container.TextAt("readinessProbe", "httpGet", "path").ShouldBe("/health/ready");
    }

    [Fact]
    public void Its_port_user_and_paths_are_the_images()
    {
        var image = Shipped.Dockerfile().ToLookup(line => line.Name, line => line.Value);
        Container.TextAt("ports", 0, "containerPort").ShouldBe(image["EXPOSE"].Single());
        $"{Pod.TextAt("securityContext", "runAsUser")}:{Pod.TextAt("securityContext", "runAsGroup")}".ShouldBe(image["USER"].Single());
        var mounts = ((YamlSequenceNode)Container.At("volumeMounts")).ToDictionary(mount => mount.TextAt("mountPath"), mount => mount.TextAt("name"));
        mounts.Keys.ShouldBe([image["VOLUME"].Single(), "/tmp"]);
        ((YamlSequenceNode)Pod.At("volumes")).Select(volume => volume.TextAt("name")).ShouldBe(mounts.Values);
    }

    [Fact]
    public void It_runs_without_rights()
    {
        Pod.TextAt("securityContext", "runAsNonRoot").ShouldBe("true");
        Pod.TextAt("automountServiceAccountToken").ShouldBe("false");
        Pod.TextAt("securityContext", "seccompProfile", "type").ShouldBe("RuntimeDefault");
        Container.TextAt("securityContext", "allowPrivilegeEscalation").ShouldBe("false");
        Container.TextAt("securityContext", "readOnlyRootFilesystem").ShouldBe("true");
        Container.List("securityContext", "capabilities", "drop").ShouldBe(["ALL"]);
    }

    [Fact]
    public void It_drains_before_it_is_killed()
    {
        const int ServersOwnSeconds = 10;   // HostOptions.ShutdownTimeout
        var drain = int.Parse(Container.TextAt("lifecycle", "preStop", "sleep", "seconds"), CultureInfo.InvariantCulture);
        drain.ShouldBeGreaterThan(0);
        int.Parse(Pod.TextAt("terminationGracePeriodSeconds"), CultureInfo.InvariantCulture).ShouldBeGreaterThan(drain + ServersOwnSeconds);
        Deployment.TextAt("spec", "strategy", "rollingUpdate", "maxUnavailable").ShouldBe("0");
    }

    [Fact]
    public void Its_parts_name_each_other()
    {
        var labels = Deployment.At("spec", "template", "metadata", "labels").Pairs();
        foreach (var selector in (YamlNode[])
            [Deployment.At("spec", "selector", "matchLabels"), One("service.yaml").At("spec", "selector"), One("disruption.yaml").At("spec", "selector", "matchLabels")])
            selector.Pairs().ShouldBe(labels);

        var service = One("service.yaml");
        service.TextAt("spec", "ports", 0, "targetPort").ShouldBe(Container.TextAt("ports", 0, "name"));
        service.At("spec").Has("sessionAffinity").ShouldBeFalse();
        var backend = One("ingress.yaml").At("spec", "rules", 0, "http", "paths", 0, "backend", "service");
        backend.TextAt("name").ShouldBe(service.TextAt("metadata", "name"));
        backend.TextAt("port", "name").ShouldBe(service.TextAt("spec", "ports", 0, "name"));
        Container.TextAt("envFrom", 0, "configMapRef", "name").ShouldBe(One("configmap.yaml").TextAt("metadata", "name"));
        Container.TextAt("envFrom", 1, "secretRef", "name").ShouldBe(One("secret.example.yaml").TextAt("metadata", "name"));
    }

    [Fact]
    public void The_ingress_does_as_our_own_nginx_does()
    {
        var site = Shipped.Text("nginx", "tidings", "site.conf");
        foreach (var (annotation, value) in One("ingress.yaml").At("metadata", "annotations").Pairs())
        {
            var directive = annotation.Split('/')[1].Replace('-', '_');
            if (directive.StartsWith("proxy_", StringComparison.Ordinal) && directive != "proxy_body_size")
                site.ShouldMatch($"(?m)^{directive} {value}s?;");
        }

        One("ingress.yaml").TextAt("metadata", "annotations", "nginx.ingress.kubernetes.io/enable-access-log").ShouldBe("false", "it holds tokens");
        site.ShouldContain($"client_max_body_size {One("ingress.yaml").TextAt("metadata", "annotations", "nginx.ingress.kubernetes.io/proxy-body-size")};");
    }

    [Fact]
    public void The_list_has_every_manifest_but_the_secret()
    {
        var files = Directory.GetFiles(Shipped.PathOf("kubernetes"), "*.yaml").Select(path => Path.GetFileName(path)).Except(["kustomization.yaml", "secret.example.yaml"]);
        One("kustomization.yaml").List("resources").ShouldBe(files, ignoreOrder: true);
    }

    private static YamlMappingNode One(string file) => Shipped.Yaml("kubernetes", file).ShouldHaveSingleItem();
}
