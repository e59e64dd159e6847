using System.Reflection;
using System.Text;

namespace Tidings.Library.Tests.PublicSurface;

/// <summary>Writes down what an assembly offers to others: one line for each public type and member, in a stable order.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(static type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(KindOf(type)).Append(' ').Append(type.FullName).Append('\n');
            foreach (var line in type.GetMembers(Declared).Select(LineOf).OfType<string>().Distinct().Order(StringComparer.Ordinal))
                text.Append("    ").Append(line).Append('\n');
        }

        return text.ToString();
    }

    private static string KindOf(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string? LineOf(MemberInfo member)
    {
        // What the compiler writes into every record says nothing.
        if (member.Name.StartsWith('<') || member.Name is "PrintMembers" or "GetHashCode" or "ToString" or "Equals" or "EqualityContract" or "Deconstruct") return null;
        return member switch
        {
            FieldInfo { IsPublic: true, IsSpecialName: false } field when !field.DeclaringType!.IsEnum || field.IsLiteral =>
                field.DeclaringType!.IsEnum ? $"{field.Name} = {Convert.ToInt64(field.GetRawConstantValue(), null)}" : $"{(field.IsLiteral ? "const " : "")}{NameOf(field.FieldType)} {field.Name}",
            ConstructorInfo { IsPublic: true } constructor => $"new({ParametersOf(constructor)})",
            PropertyInfo property when Accessors(property) is { Length: > 0 } accessors => $"{(IsStatic(property) ? "static " : "")}{NameOf(property.PropertyType)} {property.Name} {{ {accessors} }}",
            MethodInfo { IsPublic: true, IsSpecialName: false } method =>
                $"{(method.IsStatic ? "static " : "")}{NameOf(method.ReturnType)} {method.Name}{Generics(method)}({ParametersOf(method)})",
            _ => null,
        };
    }

    private static bool IsStatic(PropertyInfo property) => (property.GetMethod ?? property.SetMethod)!.IsStatic;

    private static string Accessors(PropertyInfo property)
    {
        var get = property.GetMethod is { IsPublic: true } ? "get; " : "";
        var set = property.SetMethod is not { IsPublic: true } setter ? ""
            : setter.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? "init; " : "set; ";
        return (get + set).TrimEnd();
    }

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(static type => type.Name))}>" : "";

    private static string ParametersOf(MethodBase method) => string.Join(", ", method.GetParameters().Select(static parameter =>
        $"{NameOf(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "default") : "")}"));

    private static string NameOf(Type type)
    {
        if (type.IsByRef) return "ref " + NameOf(type.GetElementType()!);
        if (Nullable.GetUnderlyingType(type) is { } inner) return NameOf(inner) + "?";
        if (!type.IsGenericType) return type.Name;
        return $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>";
    }
}
