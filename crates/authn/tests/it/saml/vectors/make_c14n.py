#!/usr/bin/env python3
"""Makes `c14n/`: documents and the exclusive canonical form of one element of each, by libxml2 (through lxml).

`index.txt` has a line for each: name, ID of the element, PrefixList. Every form is checked against a second source
before it is written: the digest that libxmlsec1 (through python-xmlsec) calculates when it signs that element. lxml
does not pass `#default` on, so for documents where that matters there is that digest alone (`.sha256`). No namespace
name has an ampersand, which the reader refuses: libxml2 writes it as it is, and Canonical XML 1.0 section 2.3 has it
escaped. Run it in this folder, with lxml and xmlsec installed, to make them again.
"""
import base64
import hashlib
import io
import os
import random
import shutil

import xmlsec
from lxml import etree

HAND = {
    # name: (document, PrefixList)
    "plain": ('<a ID="x">text</a>', ""),
    "empty-element": ('<a ID="x"/>', ""),
    "attribute-order": ('<a xmlns:b="urn:2" xmlns:c="urn:1" ID="x" z="1" b:a="2" c:z="3" c:a="4" _="5" A="6"/>', ""),
    "namespace-order": ('<c:a xmlns:c="urn:c" xmlns:b="urn:b" xmlns="urn:d" ID="x" b:x=""><d/></c:a>', ""),
    "unused-namespace": ('<a xmlns:b="urn:b" ID="x"/>', ""),
    "unused-namespace-listed": ('<a xmlns:b="urn:b" ID="x"/>', "b"),
    "listed-around": ('<o xmlns:b="urn:b" xmlns="urn:d"><p:a xmlns:p="urn:p" ID="x"/></o>', "b"),
    "listed-default-around": ('<o xmlns:b="urn:b" xmlns="urn:d"><p:a xmlns:p="urn:p" ID="x"/></o>', "#default"),
    "listed-default-undone": ('<p:o xmlns="urn:d" xmlns:p="urn:p" ID="x"><p:a xmlns=""/></p:o>', "#default"),
    "listed-not-declared": ('<a ID="x"/>', "b c #default"),
    "listed-redeclared": ('<a xmlns:b="urn:1" ID="x"><c xmlns:b="urn:2"><d xmlns:b="urn:1"/></c></a>', "b"),
    "listed-in-child-only": ('<a ID="x"><c xmlns:b="urn:2"><d/></c></a>', "b"),
    "redeclared": ('<b:a xmlns:b="urn:1" ID="x"><b:c xmlns:b="urn:2"><b:d xmlns:b="urn:1"/></b:c></b:a>', ""),
    "redeclared-the-same": ('<b:a xmlns:b="urn:1" ID="x"><b:c xmlns:b="urn:1"/></b:a>', ""),
    "used-by-siblings": ('<a xmlns:b="urn:1" ID="x"><b:c/><b:d/><e b:f=""/></a>', ""),
    "used-in-between": ('<b:a xmlns:b="urn:1" ID="x"><c><b:d/></c></b:a>', ""),
    "default-undone": ('<a xmlns="urn:1" ID="x"><b xmlns=""><c xmlns="urn:1"/><d/></b></a>', ""),
    "default-undone-around": ('<o xmlns="urn:1"><a xmlns="" ID="x"><b/></a></o>', ""),
    "default-undone-for-nothing": ('<a xmlns="" ID="x"/>', ""),
    "default-unused": ('<b:a xmlns="urn:1" xmlns:b="urn:2" ID="x"><b:c d=""/></b:a>', ""),
    "default-used-below": ('<b:a xmlns="urn:1" xmlns:b="urn:2" ID="x"><c/><b:d><c/></b:d></b:a>', ""),
    "two-prefixes-one-name": ('<b:a xmlns:b="urn:1" xmlns:c="urn:1" ID="x"><c:a/><b:a c:d=""/></b:a>', ""),
    "xml-lang": ('<o xml:lang="en"><a ID="x" xml:space="preserve"><b xml:lang="de"/></a></o>', ""),
    "xml-declared": ('<a xmlns:xml="http://www.w3.org/XML/1998/namespace" ID="x" xml:lang="de"/>', "xml"),
    "attribute-references": ('<a ID="x" b="&#9;&#10;&#13;&#32;&lt;&gt;&amp;&quot;&apos;&#x20AC;&#x1F600;"/>', ""),
    "attribute-white-space": ("<a ID='x' b='  1\n2\t3\r\n4\r5  \"'/>", ""),
    "attribute-carriage-returns": ("<a ID='x' b='&#13;\n&#13;\r\n&#13;\r'/>", ""),
    "text-references": ('<a ID="x">&#9;&#10;&#13;&lt;&gt;&amp;&quot;&apos;"\'&#x20AC;&#x85;&#x2028;</a>', ""),
    "text-line-ends": ("<a ID='x'>1\r\n2\r3\n4\r\r5\n\r6\r</a>", ""),
    "text-carriage-returns": ("<a ID='x'>&#13;\r&#13;\r\n&#13;\n&#xD;</a>", ""),
    "text-ends-in-carriage-return": ("<a ID='x'>1&#13;\r</a>", ""),
    "cdata": ('<a ID="x">1<![CDATA[<b>&amp;]] >"]]>2<![CDATA[]]>3<![CDATA[\r\n4\r]]></a>', ""),
    "comments": ('<!-- 1 --><o><!-- 2 --><a ID="x"><!-- 3 --><b/> <!-- 4 -->\n</a><!-- 5 --></o><!-- 6 -->', ""),
    "declaration": ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<a ID="x">ä</a>\n', ""),
    "white-space-in-tags": ("<a\n\tID = 'x'\r\n  b\t=\n'1'  ><b  ></b\n></a >", ""),
    "names-of-any-script": ('<ä:ö xmlns:ä="urn:u" ID="x" ä:ß="1" 名="2"/>', ""),
    "order-of-scripts": ('<a ID="x" é="1" z="2" 名="3" a="4"/>', ""),
    "namespace-with-references": ('<a xmlns="urn:1&#x32;" ID="x"/>', ""),
    "names-that-begin-alike": ('<a:a xmlns:a="urn:1" xmlns:aa="urn:2" ID="x" a:aa="1" aa:a="2" aa="3" a="4"/>', ""),
    "saml-shaped": (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" ID="x" IssueInstant="1">'
        '<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">v'
        "</saml:AttributeValue></saml:Assertion></samlp:Response>", "xs"),
}


class Generator:
    """Random documents of what the reader accepts. The same seed gives the same ones."""

    URIS = ["urn:1", "urn:2", "http://example.com/a?b=1", "urn:oasis:names:tc:SAML:2.0:assertion"]
    PREFIXES = ["a", "b", "saml", "a-b.c", "_1", "ns"]
    TEXTS = ["x", " ", "\n\t", "\r\n", "\r", "&#13;", "&#xA;", "&lt;", "&gt;", "&amp;", '"', "'", "äöü", "&#x1F600;",
             "]]", "<![CDATA[&<>\r\n]]>", "<![CDATA[]]>", "=", "a:b"]
    VALUES = ["", "x", " ", "\n", "\t", "\r\n", "\r", "&#9;", "&#10;", "&#13;", "&lt;", "&gt;", "&amp;", "&quot;", "ü", ">"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def document(self):
        self.apex = self.random.randrange(3)
        self.count = -1
        return self.element({}, 0)

    def element(self, scope, depth):
        pick = self.random
        self.count += 1
        scope, declarations = dict(scope), []
        for prefix in pick.sample(self.PREFIXES, pick.randrange(3)):
            scope[prefix] = pick.choice(self.URIS)
            declarations.append(f'xmlns:{prefix}="{scope[prefix]}"')
        if pick.random() < 0.4:
            scope[""] = pick.choice(self.URIS + ["", ""])
            declarations.append(f'xmlns="{scope[""]}"')
        prefixes = [prefix for prefix in scope if prefix]
        prefix = pick.choice(prefixes + ["", ""])
        name = (prefix + ":" if prefix else "") + pick.choice(["a", "b", "Assertion"])
        attributes, seen = [], set()
        if self.count == self.apex:
            attributes.append('ID="x"')
        for _ in range(pick.randrange(4)):
            of = pick.choice(prefixes + ["", "", "xml"])
            local = "lang" if of == "xml" else pick.choice(["a", "b", "z", "_"])
            if (scope.get(of, of) if of else None, local) in seen:
                continue
            seen.add((scope.get(of, of) if of else None, local))
            value = "".join(pick.choice(self.VALUES) for _ in range(pick.randrange(4)))
            attributes.append(f"""{of + ":" if of else ""}{local}="{value}\"""")
        parts = declarations + attributes
        pick.shuffle(parts)
        tag = " ".join([name, *parts])
        children = 0 if depth > 4 else pick.randrange(4)
        if self.count < 3:
            children = max(children, 1)
        commented = pick.random() < 0.3
        inside = []
        for _ in range(children):
            inside.append("<!-- c -->\n" if commented else "".join(pick.choice(self.TEXTS) for _ in range(pick.randrange(3))))
            inside.append(self.element(scope, depth + 1))
        if not commented:
            inside.append("".join(pick.choice(self.TEXTS) for _ in range(pick.randrange(3))))
        inside = "".join(inside)
        return f"<{tag}>{inside}</{name}>" if inside or pick.random() < 0.5 else f"<{tag}/>"


def libxml2(document, prefixes):
    """Of the element in its document, so that declarations around it are in scope: all else is cut away first."""
    tree = etree.fromstring(document.encode(), etree.XMLParser(strip_cdata=True, resolve_entities=False))
    apex = tree.xpath("//*[@ID='x']")[0]
    out = io.BytesIO()
    if apex is tree:
        etree.ElementTree(tree).write_c14n(out, exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes)
        return out.getvalue()
    return etree.tostring(apex, method="c14n", exclusive=True, with_comments=False, with_tail=False,
                          inclusive_ns_prefixes=prefixes)


def libxmlsec1(document, prefixes, key):
    """The digest of the element, as a signature of it would have it."""
    tree = etree.fromstring(document.encode(), etree.XMLParser(resolve_entities=False))
    apex = tree.xpath("//*[@ID='x']")[0]
    root = etree.Element("outside")
    signature = xmlsec.template.create(root, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.RSA_SHA256, ns="ds")
    reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri="#x")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    transform = xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    if prefixes:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(transform, prefixes)
    # At the end of the element, from where the enveloped-signature transform takes it away again.
    tail = apex[-1] if len(apex) else None
    apex.append(signature)
    assert tail is None or tail.getnext() is signature
    xmlsec.tree.add_ids(tree, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = key
    context.sign(signature)
    return base64.b64decode(signature.findtext(".//{*}DigestValue"))


def main():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.PEM)
    cases = dict(HAND)
    for seed in range(60):
        generator = Generator(seed)
        document = generator.document()
        listed = generator.random.sample(Generator.PREFIXES + ["#default"], generator.random.choice([0, 0, 1, 3]))
        cases[f"random-{seed:02}"] = (document, " ".join(listed))
    shutil.rmtree("c14n", ignore_errors=True)
    os.mkdir("c14n")
    index = []
    for name, (document, listed) in cases.items():
        prefixes = listed.split()
        canonical = libxml2(document, prefixes)
        digest = libxmlsec1(document, prefixes, key)
        agreed = digest == hashlib.sha256(canonical).digest()
        if not agreed and "#default" not in prefixes:
            print("the sources differ:", name, document, canonical.decode(), sep="\n  ")
            continue
        with open(f"c14n/{name}.xml", "wb") as file:
            file.write(document.encode())
        with open(f"c14n/{name}.{'c14n' if agreed else 'sha256'}", "wb") as file:
            file.write(canonical if agreed else digest.hex().encode())
        index.append(f"{name}\t{listed}\n")
    with open("c14n/index.txt", "w") as file:
        file.writelines(index)
    print(len(index), "vectors")


main()
