using Tidings.Fuzz.Targets;

namespace Tidings.Fuzz;

/// <summary>Every parser of what comes from outside.</summary>
internal static class AllTargets
{
    public static IReadOnlyList<Target> List { get; } =
    [
        .. NameTargets.List,
        .. MessageTargets.List,
        .. TokenTargets.List,
        .. StreamTargets.List,
        .. SocketIoTargets.List,
        .. HostTargets.List,
        .. BusTargets.List,
        .. PusherTargets.List,
        .. HubTargets.List,
        .. MediaTargets.List,
    ];

    public static Target Find(string name) =>
        List.Concat(BrokenTargets.List).FirstOrDefault(target => target.Name == name)
        ?? throw new ArgumentException($"There is no target '{name}', only {string.Join(", ", List.Select(static target => target.Name))}.");
}
